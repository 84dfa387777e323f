"""``IRFieldChain``: several field types on one value, stored from left to right, fetched back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .base import IRField
from .null import irNull

__all__ = ('IRFieldChain',)


class IRFieldChain(IRField):
    """A field whose value passes through several field types; the leftmost defines its type.

    It is indexable if all of them are, and indexed by md5 if the rightmost always is.

    :param name: name of the field
    :param chainedFields: nameless fields, or field classes; what they have as default is ignored
    :param defaultValue: value where none is given
    :param hashIndex: index by the md5 of the value
    :raises ValueError: without a name or fields, and if one of them has a name or is no field
    """

    def __init__(
        self,
        name: str,
        chainedFields: Sequence[Any],
        defaultValue: Any = irNull,
        hashIndex: bool = False,
    ) -> None:
        if not name:
            raise ValueError('IRFieldChain needs a name, so a chain cannot be part of a chain.')
        if not chainedFields:
            raise ValueError(f'IRFieldChain {name!r}: chainedFields is empty.')
        self.chainedFields = [_link(name, field) for field in chainedFields]
        self.defaultValue = defaultValue
        self.hashIndex = bool(hashIndex) or self.chainedFields[-1].isIndexHashed
        self.CAN_INDEX = all(field.CAN_INDEX for field in self.chainedFields)

    @property
    def isIndexHashed(self) -> bool:
        """Whether index keys hold the md5 of the value."""
        return bool(self.hashIndex or self.chainedFields[-1].isIndexHashed)

    @property
    def canChooseHash(self) -> bool:
        """Whether the rightmost field leaves the choice."""
        return not self.chainedFields[-1].isIndexHashed

    @property
    def isImmutable(self) -> bool:
        """Whether values cannot change in place; so for those of the leftmost field."""
        return self.chainedFields[0].isImmutable

    @property
    def isEager(self) -> bool:
        """Chains are converted when first touched."""
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

    def _legacyIndexes(self, stored: bytes) -> list[Any]:
        # Its updates sent what was stored through the whole chain once more, if it could.
        try:
            return [self.toIndex(stored)]
        except Exception:
            return []

    def __copy__(self) -> IRField:
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
    if field.name:
        raise ValueError(
            f'IRFieldChain {name!r}: the field {field.name!r} in it has a name; leave it out.'
        )
    return field
