"""``IRField``: a name, and the way a value takes to Redis and back.

The public four (``toStorage``, ``fromStorage``, ``fromInput``, ``toIndex``) deal with nulls and
hashing and are what the library calls; the private four are what a field type implements, and
null never reaches those. A field *is* a ``str`` (its name) because programs written for 6.0.3
use it as one; inside the library only ``field.name`` is used as a key.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from ...deprecated import deprecatedMessage
from ...encoding import is_utf8, to_unicode, tobytes
from ..null import IR_NULL_BYTES, IR_NULL_STR, irNull, means_null
from .conversions import ValueType, value_type_of

__all__ = ('IRField', 'hashed', 'immutable_value')

F = TypeVar('F', bound=Callable[..., Any])


def immutable_value(*, eager: bool) -> Callable[[F], F]:
    """Mark a ``_fromStorage`` whose values cannot change in place.

    Values of an unmarked one are taken for mutable: their stored bytes are kept to tell changes.

    :param eager: convert while a result is fetched (microseconds count), not at first touch
    """

    def mark(func: F) -> F:
        func.immutable, func.eager = True, eager  # type: ignore[attr-defined]
        return func

    return mark


def hashed(value: bytes) -> str:
    """Return what stands for a long value in the name of an index set."""
    from hashlib import md5  # takes longer to import than all fields together

    return md5(value, usedforsecurity=False).hexdigest()


class IRField(str):
    """A field of a model, and the base of all other field types.

    :param name: name of the field; empty only inside a chain
    :param valueType: type of the value: ``str`` (default), ``int``, ``float``, ``bool``,
        ``bytes``, ``datetime``, ``dict``/``list``/``tuple`` (stored as json), ``None`` (stored and
        fetched unconverted), or any class that is called with one argument
    :param defaultValue: value of the field where none is given; converted as if assigned
    :param hashIndex: index by the md5 of the value, for long values
    :raises TypeError: if ``valueType`` is not a type
    """

    CAN_INDEX = False
    hashIndex = False
    defaultValue: Any = irNull
    valueType: Any = None
    noneIsNull = True
    _conversion: ValueType = value_type_of(None)[1]

    def __new__(cls, name: str = '', *args: Any, **kwargs: Any) -> IRField:
        return str.__new__(cls, name)

    def __init__(
        self,
        name: str = '',
        valueType: Any = str,
        defaultValue: Any = irNull,
        hashIndex: bool = False,
    ) -> None:
        self.valueType, self._conversion = value_type_of(valueType)
        self.CAN_INDEX = self._conversion.can_index
        self.hashIndex = bool(hashIndex)
        self.defaultValue = defaultValue

    @property
    def name(self) -> str:
        """The name as a plain ``str``."""
        return str.__str__(self)

    @property
    def isIndexHashed(self) -> bool:
        """Whether index keys hold the md5 of the value."""
        return bool(self.hashIndex)

    @property
    def canChooseHash(self) -> bool:
        """Whether ``hashIndex`` can be set as one likes."""
        return type(self) is IRField

    @property
    def isImmutable(self) -> bool:
        """Whether values cannot change in place, so that no snapshot of them is needed."""
        return self._trait('immutable')

    @property
    def isEager(self) -> bool:
        """Whether values are converted while a result is fetched, not at first touch."""
        return self._trait('eager')

    @property
    def hasCanonicalForm(self) -> bool:
        """Whether equal values have the same stored form, so that one may stand for the others."""
        cls = type(self)
        hooks = ('fromInput', '_fromInput', 'toStorage', '_toStorage')
        plain = all(getattr(cls, name) is getattr(IRField, name) for name in hooks)
        return plain and self._conversion.canonical

    @property
    def storageEncoding(self) -> str | None:
        """Encoding of stored text; ``None`` means the default one at the time."""
        return self._conversion.encoding

    def _trait(self, trait: str) -> bool:
        cls = type(self)
        whole = cls.fromStorage is IRField.fromStorage
        if whole and cls._fromStorage is IRField._fromStorage:
            return bool(getattr(self._conversion, trait))
        return bool(getattr(cls._fromStorage if whole else cls.fromStorage, trait, False))

    def toStorage(self, value: Any) -> Any:
        """Return the text or bytes that are stored for ``value``."""
        return IR_NULL_STR if self._is_null(value) else self._toStorage(value)

    def fromStorage(self, stored: Any) -> Any:
        """Return the value of stored text or bytes.

        :raises ValueError: if they cannot be decoded (or what else the field type raises)
        """
        return irNull if means_null(stored) else self._fromStorage(stored)

    def fromInput(self, value: Any) -> Any:
        """Return the value that an attribute has after ``value`` was assigned to it.

        :raises ValueError: if the field cannot hold it
        :raises TypeError: if its type cannot be converted
        """
        return irNull if self._is_null(value) else self._fromInput(value)

    def toIndex(self, value: Any) -> Any:
        """Return the last part of the index key for ``value``: text or bytes, or their md5."""
        null = self._is_null(value) or means_null(value)
        indexed = IR_NULL_BYTES if null else self._toIndex(value)
        if not self.isIndexHashed:
            return IR_NULL_STR if null else indexed
        return hashed(tobytes(indexed))

    def getDefaultValue(self) -> Any:
        """Return the default, converted as if assigned, and never shared between objects."""
        value = self.fromInput(self.defaultValue)
        return value if self.isImmutable else copy.deepcopy(value)

    def copy(self) -> IRField:
        """Return a field of the same name and properties."""
        return copy.copy(self)

    def convert(self, value: Any) -> Any:
        """Deprecated name of :meth:`fromStorage`."""
        deprecatedMessage('field.convert(x) is now field.fromStorage(x).')
        return self.fromStorage(value)

    def quick_decoder(self) -> Callable[[bytes | None], Any]:
        """Return :meth:`fromStorage` for bytes, the shortest way that the field type allows.

        It gives the default where nothing is stored, and knows the default encoding of the moment.
        """
        default, convert = self.getDefaultValue, self.quick_conversion()
        null = None if type(self).fromStorage is not IRField.fromStorage else IR_NULL_BYTES

        def decode(stored: bytes | None) -> Any:
            if stored is None:
                return default()
            return irNull if stored == null else convert(stored)

        return decode

    def quick_conversion(self) -> Callable[[bytes], Any]:
        """Return what converts bytes that are there; of a plain field, bytes that are not null."""
        cls = type(self)
        if cls.fromStorage is not IRField.fromStorage:
            return self.fromStorage
        if cls._fromStorage is not IRField._fromStorage:
            return self._fromStorage
        convert = self._conversion.from_storage
        # Half of the time of a text was spent to find out that it is one.
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

    def _otherIndexes(self, value: Any) -> Sequence[Any]:
        """Index values besides that of :meth:`toIndex` that mean the same to a filter."""
        return ()

    def _legacyIndexes(self, stored: bytes) -> Sequence[Any]:
        """Wrong index values under which 6.0.3 may have listed an object."""
        return ()

    def __copy__(self) -> IRField:
        duplicate = str.__new__(type(self), self.name)
        duplicate.__dict__.update(self.__dict__)
        return duplicate

    def __deepcopy__(self, memo: Any) -> IRField:
        return self.__copy__()

    def __reduce__(self) -> Any:
        return _restore, (type(self), self.name, dict(self.__dict__))

    def _properties(self) -> list[tuple[str, Any]]:
        valueType = getattr(self.valueType, '__name__', self.valueType)
        return [
            ('valueType', valueType),
            ('hashIndex', self.hashIndex),
            ('defaultValue', repr(self.defaultValue)),
        ]

    def __repr__(self) -> str:
        shown = ', '.join(f'{key}={value}' for key, value in self._properties())
        return f'{type(self).__name__}( "{self.name}", {shown} )'


def _restore(cls: type[IRField], name: str, attributes: dict[str, Any]) -> IRField:
    field = str.__new__(cls, name)
    field.__dict__.update(attributes)
    return field
