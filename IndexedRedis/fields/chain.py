"""``IRFieldChain``: several field types in a row on one value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, Unpack

from ..generics import I, N, T
from .base import IRField
from .base.field import Listed
from .null import irNull

__all__ = ('IRFieldChain',)


class IRFieldChain(IRField[T, N, I]):
    """A field whose value passes through several field types.

    A save applies them from left to right, a fetch from right to left. The leftmost defines the
    type of the value. The chain can be indexed if all its fields can.

    :param name: name of the field
    :param chainedFields: fields without a name, or field classes. Their defaults are ignored.
    :param defaultValue: the default value
    :param hashIndex: whether index keys hold the md5 of the value; always True if the rightmost
        field forces it
    :raises ValueError: if the fields are missing, or one of them has a name or is a chain
    """

    def __init__(
        self,
        name: str = '',
        chainedFields: Sequence[Any] = (),
        defaultValue: Any = irNull,
        hashIndex: bool = False,
        **listed: Unpack[Listed],
    ) -> None:
        if not chainedFields:
            raise ValueError(f'IRFieldChain {name!r}: chainedFields is empty.')
        self.chainedFields: list[IRField] = [_link(name, field) for field in chainedFields]
        self.defaultValue = defaultValue
        self._list(**listed)
        self.hashIndex = bool(hashIndex) or self.chainedFields[-1].isIndexHashed
        self.CAN_INDEX = all(field.CAN_INDEX for field in self.chainedFields)

    @property
    def valueClass(self) -> Any:
        """The class of the leftmost field's values."""
        return self.chainedFields[0].valueClass

    @property
    def isIndexHashed(self) -> bool:
        """True if index keys hold the md5 of the value."""
        return bool(self.hashIndex or self.chainedFields[-1].isIndexHashed)

    @property
    def canChooseHash(self) -> bool:
        """True if the rightmost field leaves the choice."""
        return not self.chainedFields[-1].isIndexHashed

    @property
    def isImmutable(self) -> bool:
        """True if values of the leftmost field cannot change in place."""
        return self.chainedFields[0].isImmutable

    @property
    def isEager(self) -> bool:
        """False: chains are decoded at the first read."""
        return False

    def _fromInput(self, value: Any) -> Any:
        return self.chainedFields[0].fromInput(value)

    def _toStorage(self, value: Any) -> Any:
        for field in self.chainedFields:
            value = field._toStorage(value)
        return value

    def _fromStorage(self, stored: Any) -> Any:
        for field in reversed(self.chainedFields):
            stored = field._fromStorage(stored)
        return stored

    @property
    def canSort(self) -> bool:
        """True if values of the leftmost field have an order, and none of the fields unpickles.

        Cursors of pages hold stored bytes. Whoever has the URL could have them unpickled.
        """
        from .pickle_field import IRPickleField  # whose pickle takes long to import

        safe = not any(isinstance(field, IRPickleField) for field in self.chainedFields)
        return safe and bool(self.chainedFields[0].canSort)

    @property
    def hasExactScores(self) -> bool:
        """True if a score below 2^53 belongs to one value of the leftmost field only."""
        return self.chainedFields[0].hasExactScores

    def _toScore(self, value: Any) -> float:
        return self.chainedFields[0]._toScore(value)

    def _legacyIndexes(self, stored: bytes) -> list[Any]:
        # Updates by 6.0.3 send the stored bytes through the chain once more, where that works.
        try:
            return [self.toIndex(stored)]
        except Exception:
            return []

    def __copy__(self) -> Self:
        duplicate = super().__copy__()
        duplicate.__dict__['chainedFields'] = [field.copy() for field in self.chainedFields]
        return duplicate

    def _properties(self) -> list[tuple[str, Any]]:
        return [
            ('chainedFields', self.chainedFields),
            ('hashIndex', self.hashIndex),
            ('defaultValue', repr(self.defaultValue)),
        ]


def _link(name: str, given: Any) -> IRField:
    field = given() if isinstance(given, type) and issubclass(given, IRField) else given
    if not isinstance(field, IRField):
        raise ValueError(f'IRFieldChain {name!r}: {given!r} is no field.')
    if isinstance(field, IRFieldChain):
        raise ValueError(f'IRFieldChain {name!r}: a chain cannot be part of a chain.')
    if field.name:
        raise ValueError(
            f'IRFieldChain {name!r}: the field {field.name!r} in it has a name; leave it out.'
        )
    return field
