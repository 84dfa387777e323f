"""A column: one field of one model, as the flows use it. Its errors name model and field."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import inf
from types import MappingProxyType
from typing import Any

from ..encoding import getDefaultIREncoding, is_utf8, to_unicode
from ..errors import FieldTypeError, FieldValueError, UnreadableValueError
from ..fields.base import IRField, hashed
from ..fields.base.primary_keys import HIGHEST_PK
from ..fields.foreign import ForeignLinkData, IRForeignLinkField, IRForeignLinkFieldBase
from ..fields.null import IR_NULL_BYTES, IR_NULL_STR, irNull, means_null
from .keys import is_pk
from .text import shorten

__all__ = ('EMPTY', 'EXACT_SCORES', 'SEVERAL', 'Column')

# Scores below it tell whole numbers apart.
EXACT_SCORES = 2**53

# An empty mapping, immutable and so safe as a default.
EMPTY: Mapping[Any, Any] = MappingProxyType({})
# What holds several values, most of which no field holds as one.
SEVERAL = (list, tuple, set, frozenset, dict, range, Iterator)


class Column:
    """Converts the values of one field to stored bytes and index values, and back.

    :param model_name: name of the model, for messages
    :param field: the field
    :param indexed: whether ``INDEXED_FIELDS`` lists the field
    :param sorted: whether ``SORTED_FIELDS`` lists the field
    """

    def __init__(
        self, model_name: str, field: IRField, indexed: bool, sorted: bool = False
    ) -> None:
        self.field: Any = field
        self.name = field.name
        self.key = self.name.encode('utf-8')
        self.is_link = isinstance(field, IRForeignLinkFieldBase)
        # The key of the value in an object's __dict__. A link keeps its link data there; the linked
        # object stands under the name itself.
        self.slot = f'{self.name} link' if self.is_link else self.name
        #: whether it is the link field of this library to one object, which takes a pk as it is
        self.links_to_one = type(field) is IRForeignLinkField
        self.label = f'{model_name}.{self.name}'
        self.indexed, self.sorted = indexed, sorted
        self.nullable = getattr(field, 'nullable', True)
        self._encoding = field.storageEncoding
        self.immutable = field.isImmutable
        self.eager = self.immutable and field.isEager
        self.canonical = field.hasCanonicalForm
        # Assigned values of exactly this type need no conversion.
        self.native_type = (
            field.valueType if field.isPlain and field.valueType in (int, str, float) else None
        )
        # Then the stored bytes are the index value.
        self._index_is_stored = (
            type(field)._toIndex is IRField._toIndex and type(field).toIndex is IRField.toIndex
        )

    def from_input(self, value: Any) -> Any:
        """Return the value that the attribute has after ``value`` is assigned.

        :raises FieldValueError: if the field cannot hold ``value``
        """
        if type(value) is self.native_type and value != IR_NULL_STR:
            return value
        converted = self._converted(value)
        if converted is irNull and not self.nullable:
            raise FieldValueError(f'{self.label}: cannot be null. Give a value.')
        return converted

    def _converted(self, value: Any) -> Any:
        try:
            if self.links_to_one and type(value) is int and 0 < value <= HIGHEST_PK:
                return ForeignLinkData(self.field.foreignModel, value)
            return self.field.fromInput(value)
        except Exception as exc:
            raise self._refusal(value, exc) from exc

    def encode(self, value: Any, reserved: Mapping[int, int] = EMPTY) -> bytes:
        """Return the stored bytes of a value.

        :param reserved: reserved pks of unsaved linked objects, by ``id()`` of the object
        :raises FieldValueError: if ``value`` has no stored form
        """
        encoded = self._encoded(value, reserved)
        if encoded == IR_NULL_BYTES:
            if not self.nullable:
                raise FieldValueError(f'{self.label}: is null, but must have a value to be saved.')
            if not self.is_link and self._turns_null(value):
                raise FieldValueError(
                    f'{self.label}: {_shown(value)} cannot be stored: its stored form {encoded!r} '
                    'means null. Assign another value.'
                )
        return encoded

    def encode_read(self, value: Any) -> bytes:
        """Return the stored bytes of a value that was read, which may be a null refused today."""
        return self._encoded(value, EMPTY)

    def _encoded(self, value: Any, reserved: Mapping[int, int]) -> bytes:
        if self.is_link:
            return _to_bytes(self.field.storage_with(value, reserved))
        try:
            stored = self.field.toStorage(value)
            if type(stored) is str and stored != IR_NULL_STR:
                return stored.encode(self._encoding or getDefaultIREncoding())
            return stored if type(stored) is bytes else _to_bytes(stored)
        except Exception as exc:
            raise self._refusal(value, exc) from exc

    def _turns_null(self, value: Any) -> bool:
        return (
            value is not irNull
            and value is not None
            and self.field.fromStorage(IR_NULL_BYTES) is irNull
        )

    def decode(self, stored: bytes | None, pk: Any = None) -> Any:
        """Return the value of stored bytes; the default if they are None.

        :param pk: pk of the object, for messages
        :raises UnreadableValueError: if the bytes cannot be decoded
        """
        if stored is None:
            return self.default()
        try:
            return self.field.fromStorage(stored)
        except Exception as exc:
            kind = type(exc) if isinstance(exc, UnreadableValueError) else UnreadableValueError
            raise kind(
                f'{self.label} of the object with pk {pk}: the stored bytes {_shown(stored)} '
                f'cannot be read as {type(self.field).__name__} ({exc}). '
                'Assign a new value and save, or delete the object.'
            ) from exc

    def decoder(self) -> Callable[[bytes | None], Any]:
        """Return a fast :meth:`decode` for bulk use. Its errors name neither model nor field."""
        decoder: Callable[[bytes | None], Any] = self.field.quick_decoder()
        return decoder

    def default(self) -> Any:
        """Return the default value; a new copy if it is mutable."""
        return self.field.getDefaultValue()

    def index_of(self, value: Any) -> bytes:
        """Return the index value of an attribute's value: the last part of an index key.

        :raises FieldValueError: if ``value`` has no index value
        """
        try:
            return _to_index_bytes(self.field.toIndex(value))
        except Exception as exc:
            raise self._refusal(value, exc) from exc

    def index_of_stored(self, stored: bytes | None) -> bytes:
        """Return the index value of stored bytes. Bytes that cannot be decoded are their own."""
        if stored is None:
            return self.index_of(self.default())
        if self.links_to_one and is_pk(stored):
            return stored
        if self._index_is_stored and is_utf8():
            if not self.field.isIndexHashed:
                return stored
            return hashed(stored).encode('ascii')
        try:
            return self.index_of(self.field.fromStorage(stored))
        except Exception:
            return stored

    def score_of_stored(self, stored: bytes | None) -> bytes:
        """Return the score of stored bytes, as ZADD takes it.

        Bytes that cannot be decoded have the score of null, so that the object is in the set.
        """
        try:
            score = self.field.toScore(
                self.default() if stored is None else self.field.fromStorage(stored)
            )
        except Exception:
            score = inf
        return b'%.17g' % score

    def order_key(self, stored: bytes | None) -> tuple[float, Any] | None:
        """Return what a row is ordered by: its score, then its value.

        None for null and what has its score: NaN, and bytes that cannot be decoded.
        """
        try:
            return self.order_key_of(
                self.default() if stored is None else self.field.fromStorage(stored)
            )
        except Exception:
            return None

    def order_key_of(self, value: Any) -> tuple[float, Any] | None:
        """Return the order key of an attribute's value; None for null and NaN."""
        score = self.field.toScore(value)
        return None if score == inf else (score, value)

    def tells_apart(self, score: float) -> bool:
        """Return whether a score belongs to one value only."""
        return bool(self.field.hasExactScores) and abs(score) < EXACT_SCORES

    def is_null(self, stored: bytes | None) -> bool:
        """Return whether stored bytes are null, or absent where the default is null."""
        return self.default() is irNull if stored is None else stored == IR_NULL_BYTES

    def rehashed(self, stored: bytes | None) -> list[bytes]:
        """Return the index value under the other choice of ``hashIndex``, if there is a choice."""
        if not self.field.canChooseHash:
            return []
        other = self.field.copy()
        other.hashIndex = not self.field.hashIndex
        return [Column(self.label, other, True).index_of_stored(stored)]

    def indexes_of_filter(self, value: Any) -> tuple[bytes, ...]:
        """Return the index values that a filter by ``value`` means.

        :raises FieldValueError: if the field cannot hold ``value``
        """
        if means_null(value):
            value = irNull
        converted = self.from_filter(value)
        others = () if converted is irNull else self.field._otherIndexes(converted)
        return (self.index_of(converted), *map(_to_index_bytes, others))

    def from_filter(self, value: Any) -> Any:
        """Return the value of the attribute that a filter by ``value`` compares with.

        :raises FieldValueError: if the field cannot hold ``value``
        """
        try:
            return self.from_input(value) if self.nullable else self._converted(value)
        except FieldValueError as exc:
            if not isinstance(value, SEVERAL):
                raise
            raise FieldTypeError(
                f'{self.label}: cannot hold {_shown(value)}, a {type(value).__name__}. '
                f'{self.name}__in=[...] finds any of several values.'
            ) from exc

    def legacy_indexes(self, stored: bytes | None) -> list[bytes]:
        """Return the wrong index values under which 6.0.3 may have listed the object."""
        if stored is None or stored == IR_NULL_BYTES:
            return []
        return [_to_index_bytes(value) for value in self.field._legacyIndexes(stored)]

    def _refusal(self, value: Any, exc: Exception) -> FieldValueError:
        kind = FieldTypeError if isinstance(exc, TypeError) else FieldValueError
        reason = str(exc).rstrip('.')
        return kind(f'{self.label}: cannot hold {_shown(value)}: {reason}.')


def _shown(value: Any) -> str:
    return shorten(repr(value))


def _to_bytes(stored: Any) -> bytes:
    """Return the bytes of a stored form that is neither ``str`` nor ``bytes``."""
    if means_null(stored):
        return IR_NULL_BYTES
    if isinstance(stored, str):
        return stored.encode(getDefaultIREncoding())
    if isinstance(stored, (bytes, bytearray, memoryview)):
        return bytes(stored)
    if isinstance(stored, (int, float)) and not isinstance(stored, bool):
        return repr(stored).encode('ascii')
    raise TypeError(f'its stored form is a {type(stored).__name__}, not bytes or text')


def _to_index_bytes(index: Any) -> bytes:
    # Index keys are UTF-8 text, whatever the default encoding is.
    return index if isinstance(index, bytes) else to_unicode(index).encode('utf-8')
