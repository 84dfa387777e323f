"""``IRField``: the name of a field, and the conversions of its values.

The library calls the four public methods ``toStorage``, ``fromStorage``, ``fromInput`` and
``toIndex``, which handle null and hashing. A field type implements the private four of the same
names, which null never reaches. A field *is* a ``str``, its name, because programs written for
6.0.3 use it as one. The library uses only ``field.name`` as a key.
"""

from __future__ import annotations

import copy
import math
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Unpack, overload

from ...deprecated import deprecatedMessage
from ...encoding import is_utf8, to_unicode, tobytes
from ...generics import Bracketed, I, N, T
from ..null import IR_NULL_BYTES, IR_NULL_STR, irNull, means_null
from .conversions import ValueType, class_of, value_type_of

if TYPE_CHECKING:
    from typing import Self

__all__ = ('IRField', 'hashed', 'immutable_value')

F = TypeVar('F', bound=Callable[..., Any])
Field = TypeVar('Field')

# Type checkers take it for any T; a model checks its annotations.
_TEXT: Any = str
# The highest finite score, which also stands for higher numbers.
MAX_SCORE = sys.float_info.max


def immutable_value(*, eager: bool) -> Callable[[F], F]:
    """Decorate a ``_fromStorage`` whose values cannot change in place.

    Without it values count as mutable: objects keep the stored bytes to detect changes.

    :param eager: decode while a result is fetched (for conversions of about a microsecond); else
        at the first read
    """

    def mark(func: F) -> F:
        func.immutable, func.eager = True, eager  # type: ignore[attr-defined]
        return func

    return mark


def hashed(value: bytes) -> str:
    """Return the md5 of a value in hexadecimal, which stands for it in hashed index keys."""
    from hashlib import md5  # takes longer to import than all fields together

    return md5(value, usedforsecurity=False).hexdigest()


_WRITING = ('fromInput', '_fromInput', 'toStorage', '_toStorage')
_READING = ('fromInput', '_fromInput', 'fromStorage', '_fromStorage')


# What other mappers call a parameter.
_MEANT = {
    'choices': 'IREnumField(enumClass=...)',
    'db_index': 'indexed=True',
    'default': 'defaultValue=...',
    'index': 'indexed=True',
    'null': 'nullable=...',
    'type': 'valueType=...',
}


class Listed(TypedDict, total=False):
    """What field types take, besides their own parameters: see :class:`IRField`."""

    indexed: bool
    sorted: bool
    unique: bool
    nullable: bool


class IRField(Bracketed[T, N, I]):
    """A field of a model, and the base of all other field types.

    As an attribute of a model it is written with the type of its values:
    ``price: IRField[Decimal] = IRField(valueType=Decimal)``.

    :param name: name of the field; empty for an attribute of a model, and inside a chain
    :param valueType: type of the value: ``str`` (default), ``int``, ``float``, ``bool``,
        ``bytes``, ``datetime``, ``date``, ``time``, ``timedelta``, ``Decimal``, ``UUID``, a class
        of ``ipaddress``, ``dict``/``list``/``tuple`` (stored as json), None (stored without
        conversion, fetched as bytes), or a class that takes one argument
    :param defaultValue: the default value; converted as if assigned
    :param hashIndex: whether index keys hold the md5 of the value, as is good for long values
    :param decimalPlaces: for ``Decimal``, as of :class:`~IndexedRedis.fields.IRDecimalField`
    :param indexed: whether the field is indexed, as if ``INDEXED_FIELDS`` listed it
    :param sorted: whether the field is sorted, as if ``SORTED_FIELDS`` listed it
    :param unique: whether the field is unique, as if ``UNIQUE_FIELDS`` listed it
    :param nullable: False refuses null when it is assigned or saved. A null that is stored already
        is read as ``irNull``.
    :raises TypeError: if ``valueType`` is not a type, or has no decimal places
    :raises ValueError: if ``decimalPlaces`` is negative
    """

    CAN_INDEX = False
    hashIndex = False
    defaultValue: Any = irNull
    valueType: Any = None
    noneIsNull = True
    indexed = sorted = unique = False
    nullable = True
    _conversion: ValueType = value_type_of(None)[1]

    def __new__(cls, name: Any = '', *args: Any, **kwargs: Any) -> Self:
        # In a class body, where fields have no names yet, the first argument may be another one.
        return str.__new__(cls, name if isinstance(name, (str, bytes)) else '')

    def __init__(
        self,
        name: str = '',
        valueType: type[T] | None = _TEXT,
        defaultValue: Any = irNull,
        hashIndex: bool = False,
        decimalPlaces: int | None = None,
        **listed: Unpack[Listed],
    ) -> None:
        if not isinstance(name, str):
            raise TypeError(f'the name of a field is text, not {name!r}. Write valueType=.')
        self.valueType, self._conversion = value_type_of(valueType, decimalPlaces)
        if decimalPlaces is not None:
            self.decimalPlaces = decimalPlaces
        self.CAN_INDEX = self._conversion.can_index
        self.hashIndex = bool(hashIndex)
        self.defaultValue = defaultValue
        self._list(**listed)

    def _list(
        self,
        *,
        indexed: bool = False,
        sorted: bool = False,
        unique: bool = False,
        nullable: bool = True,
        **unknown: Any,
    ) -> None:
        for name in unknown:
            meant = f' Write {_MEANT[name]}.' if name in _MEANT else ''
            raise TypeError(f'{type(self).__name__} takes no parameter {name!r}.{meant}')
        self.indexed, self.sorted, self.unique = bool(indexed), bool(sorted), bool(unique)
        self.nullable = bool(nullable)

    if TYPE_CHECKING:

        @overload
        def __get__(self, obj: None, owner: Any) -> Self: ...

        @overload
        def __get__(self, obj: object, owner: Any) -> T | N: ...

        def __get__(self, obj: Any, owner: Any) -> Any: ...

        def __set__(self, obj: Any, value: T | N | I) -> None: ...

    @property
    def name(self) -> str:
        """The name as a plain ``str``."""
        return str.__str__(self)

    @property
    def valueClass(self) -> Any:
        """The class of the values; ``Any`` if they can be of several, or nobody knows."""
        return class_of(self.valueType) if self._is_plain(_READING) else Any

    @property
    def isIndexHashed(self) -> bool:
        """True if index keys hold the md5 of the value."""
        return bool(self.hashIndex)

    @property
    def canChooseHash(self) -> bool:
        """True if ``hashIndex`` can be chosen; the other field types decide themselves."""
        return type(self) is IRField

    @property
    def isImmutable(self) -> bool:
        """True if values cannot change in place, so that they need no snapshot."""
        return self._trait('immutable')

    @property
    def isEager(self) -> bool:
        """True if values are decoded while a result is fetched; else at the first read."""
        return self._trait('eager')

    @property
    def hasCanonicalForm(self) -> bool:
        """True if equal values have equal stored bytes."""
        return self.isPlain and self._conversion.canonical

    @property
    def isPlain(self) -> bool:
        """True if the value type alone decides what is assigned and stored."""
        return self._is_plain(_WRITING)

    def _is_plain(self, hooks: Sequence[str]) -> bool:
        """Return whether the conversion of the value type does the work of these methods."""
        return all(getattr(type(self), name) is getattr(IRField, name) for name in hooks)

    @property
    def canSort(self) -> bool:
        """True if values have an order, so that ``SORTED_FIELDS`` can list the field."""
        own = type(self)._toScore is not IRField._toScore
        return own or self._conversion.score is not None

    @property
    def hasExactScores(self) -> bool:
        """True if a score below 2^53 belongs to one value only."""
        return type(self)._toScore is IRField._toScore and self._conversion.exact

    @property
    def storageEncoding(self) -> str | None:
        """The encoding of stored text; None means the default encoding at the time of use."""
        return self._conversion.encoding

    def _trait(self, trait: str) -> bool:
        cls = type(self)
        whole = cls.fromStorage is IRField.fromStorage
        if whole and cls._fromStorage is IRField._fromStorage:
            return bool(getattr(self._conversion, trait))
        return bool(getattr(cls._fromStorage if whole else cls.fromStorage, trait, False))

    def toStorage(self, value: Any) -> Any:
        """Return the stored form of a value, as text or bytes."""
        return IR_NULL_STR if self._is_null(value) else self._toStorage(value)

    def fromStorage(self, stored: Any) -> Any:
        """Return the value of stored text or bytes.

        :raises ValueError: if they cannot be decoded; some field types raise other errors
        """
        return irNull if means_null(stored) else self._fromStorage(stored)

    def fromInput(self, value: Any) -> Any:
        """Return the value that the attribute has after ``value`` is assigned.

        :raises ValueError: if the field cannot hold ``value``
        :raises TypeError: if the type of ``value`` cannot be converted
        """
        return irNull if self._is_null(value) else self._fromInput(value)

    def toIndex(self, value: Any) -> Any:
        """Return the index value, the last part of an index key: text or bytes, or their md5."""
        null = self._is_null(value) or means_null(value)
        indexed = IR_NULL_BYTES if null else self._toIndex(value)
        if not self.isIndexHashed:
            return IR_NULL_STR if null else indexed
        return hashed(tobytes(indexed))

    def toScore(self, value: Any) -> float:
        """Return the score of a value in a sorted set.

        Of two values, the lower one never has the higher score. Scores are finite, apart from that
        of null, which is infinity. A NaN, which has no place in the order, has the score of null.
        """
        score = math.nan if self._is_null(value) else self._toScore(value)
        if math.isnan(score):
            return math.inf
        return min(max(score, -MAX_SCORE), MAX_SCORE) + 0.0  # adding zero turns -0.0 into 0.0

    def getDefaultValue(self) -> Any:
        """Return the default, converted as if assigned. Objects never share a mutable default."""
        value = self.fromInput(self.defaultValue)
        return value if self.isImmutable else copy.deepcopy(value)

    def copy(self) -> Self:
        """Return a field of the same name and properties."""
        return copy.copy(self)

    def named(self, name: str) -> Self:
        """Return a field of another name and the same properties."""
        return _restore(type(self), name, _attributes(self.copy()))

    def convert(self, value: Any) -> Any:
        """Deprecated name of :meth:`fromStorage`."""
        deprecatedMessage('field.convert(x) is now field.fromStorage(x).')
        return self.fromStorage(value)

    def quick_decoder(self) -> Callable[[bytes | None], Any]:
        """Return a fast :meth:`fromStorage` for bytes, bound to the present default encoding.

        For None, an absent field, it returns the default.
        """
        default, convert = self.getDefaultValue, self.quick_conversion()
        null = None if type(self).fromStorage is not IRField.fromStorage else IR_NULL_BYTES

        def decode(stored: bytes | None) -> Any:
            if stored is None:
                return default()
            return irNull if stored == null else convert(stored)

        return decode

    def quick_conversion(self) -> Callable[[bytes], Any]:
        """Return the function that decodes stored bytes; a plain field handles null before."""
        cls = type(self)
        if cls.fromStorage is not IRField.fromStorage:
            return self.fromStorage
        if cls._fromStorage is not IRField._fromStorage:
            return self._fromStorage
        convert = self._conversion.from_storage
        # Twice as fast as to_unicode, which checks the type first.
        return bytes.decode if convert is to_unicode and is_utf8() else convert

    def _is_null(self, value: Any) -> bool:
        return value is irNull or (value is None and self.noneIsNull)

    def _toStorage(self, value: Any) -> Any:
        return self._conversion.to_storage(value)

    def _fromStorage(self, stored: Any) -> Any:
        return self._conversion.from_storage(stored)

    def _fromInput(self, value: Any) -> Any:
        return self._conversion.from_input(value)

    def _toIndex(self, value: Any) -> Any:
        return self._toStorage(value)

    def _toScore(self, value: Any) -> float:
        score = self._conversion.score
        if score is None:
            raise TypeError(f'values of a {type(self).__name__} have no order')
        return score(value)

    def _otherIndexes(self, value: Any) -> Sequence[Any]:
        """Return further index values that a filter by ``value`` means."""
        return ()

    def _legacyIndexes(self, stored: bytes) -> Sequence[Any]:
        """Return wrong index values under which 6.0.3 may have listed an object."""
        return ()

    def __copy__(self) -> Self:
        return _restore(type(self), self.name, _attributes(self))

    def __deepcopy__(self, memo: Any) -> Self:
        return self.__copy__()

    def __reduce__(self) -> Any:
        return _restore, (type(self), self.name, _attributes(self))

    def _properties(self) -> list[tuple[str, Any]]:
        valueType = getattr(self.valueType, '__name__', self.valueType)
        places = getattr(self, 'decimalPlaces', None)
        return [
            ('valueType', valueType),
            *([] if places is None else [('decimalPlaces', places)]),
            ('hashIndex', self.hashIndex),
            ('defaultValue', repr(self.defaultValue)),
        ]

    def __repr__(self) -> str:
        listed = [(name, True) for name in ('indexed', 'sorted', 'unique') if getattr(self, name)]
        listed += [] if self.nullable else [('nullable', False)]
        shown = ', '.join(f'{key}={value}' for key, value in [*self._properties(), *listed])
        return f'{type(self).__name__}( "{self.name}", {shown} )'


def _attributes(field: object) -> dict[str, Any]:
    """Return a copy of the attributes of a field, those in slots too."""
    state: Any = object.__getstate__(field)
    plain, slots = state if isinstance(state, tuple) else (state, None)
    return {**(plain or {}), **(slots or {})}


def _restore(cls: type[Field], name: str, attributes: dict[str, Any]) -> Field:
    field = str.__new__(cls, name)  # type: ignore[type-var]
    for key, value in attributes.items():
        object.__setattr__(field, key, value)
    return field
