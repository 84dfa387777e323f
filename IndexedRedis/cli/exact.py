"""A model whose objects hold the stored bytes.

The rule: an export or import decodes nothing, so bytes that a field cannot read, or would spell
otherwise, come back as they were. The indexes are those of the real fields.
"""

from __future__ import annotations

import codecs
from hashlib import md5
from typing import Any

from .. import IndexedRedisModel, IRField, getDefaultIREncoding, tobytes
from ..fields import IR_NULL_BYTES, IR_NULL_STR, IRPickleField, immutable_value

__all__ = ('ExactField', 'exact', 'kind_of', 'unreadable')

# The attributes that decide, with the class, how a field reads stored bytes.
_PROPERTIES = ('encoding', 'compressMode', 'decimalPlaces', 'aware', 'microseconds', 'by')


class ExactField(IRField):
    """The stored bytes of another field; None if a row lacks the field.

    :param inner: the other field
    """

    CAN_INDEX = True
    noneIsNull = False

    def __new__(cls, inner: IRField) -> ExactField:
        return str.__new__(cls, inner.name)

    def __init__(self, inner: IRField) -> None:
        listed = {'sorted': inner.sorted, 'unique': inner.unique}
        super().__init__(inner.name, valueType=None, defaultValue=None, **listed)
        self.CAN_INDEX = inner.CAN_INDEX
        self.inner = inner
        kind = type(inner)
        self._index_is_stored = (kind._toIndex, kind.toIndex) == (IRField._toIndex, IRField.toIndex)

    def getDefaultValue(self) -> Any:
        """Return None: a new object stores nothing for the field."""
        return None

    def fromInput(self, value: Any) -> Any:
        """Return the bytes, or None, unchanged."""
        return value

    @immutable_value(eager=True)
    def fromStorage(self, stored: Any) -> Any:
        """Return the stored bytes."""
        return stored

    def toStorage(self, value: Any) -> Any:
        """Return the bytes; for None the stored default of the other field."""
        return self._default() if value is None else value

    def toIndex(self, value: Any) -> Any:
        """Return the index value of the other field; for unreadable bytes, the bytes."""
        inner = self.inner
        if value is None:
            return inner.toIndex(inner.getDefaultValue())
        if self._index_is_stored and codecs.lookup(getDefaultIREncoding()).name == 'utf-8':
            return md5(value, usedforsecurity=False).hexdigest() if inner.isIndexHashed else value
        try:
            return inner.toIndex(inner.fromStorage(value))
        except Exception:  # a field type may raise anything
            return value

    @property
    def canSort(self) -> bool:
        """True if the other field can be sorted."""
        return self.inner.canSort

    def toScore(self, value: Any) -> float:
        """Return the score of the other field's value."""
        inner = self.inner
        return inner.toScore(inner.getDefaultValue() if value is None else inner.fromStorage(value))

    def _default(self) -> bytes:
        stored = self.inner.toStorage(self.inner.getDefaultValue())
        if isinstance(stored, str) and stored == IR_NULL_STR:
            return IR_NULL_BYTES
        if isinstance(stored, str):
            return stored.encode(self.inner.storageEncoding or getDefaultIREncoding())
        return tobytes(stored)


def exact(model: Any) -> Any:
    """Return a model with the same keys whose values are the stored bytes."""
    # Links find models by name; under this name they do not find the twin.
    twin = type(model)(
        f'{model.__name__} as stored',
        (IndexedRedisModel,),
        {
            'FIELDS': [ExactField(field) for field in model.FIELDS],
            'INDEXED_FIELDS': [*model._validated().indexed_names],
            'SORTED_FIELDS': [str(name) for name in model.SORTED_FIELDS],
            'UNIQUE_FIELDS': list(model.UNIQUE_FIELDS),
            'KEY_NAME': model.KEY_NAME,
            'PARTITIONS': model.PARTITIONS,
            'PARTITION_BY': model.PARTITION_BY,
            'REDIS_CONNECTION_PARAMS': dict(model.REDIS_CONNECTION_PARAMS),
            '_connection': model._connection,
        },
    )
    twin.__name__ = model.__name__  # for messages
    return twin


def kind_of(field: IRField) -> str:
    """Return how a field reads stored bytes, as text to compare."""
    links = getattr(field, 'chainedFields', None)
    if links:
        return f'{type(field).__name__}({", ".join(map(kind_of, links))})'
    shown = [getattr(field.valueType, '__name__', '')] if field.valueType is not None else []
    shown += [f'{name}={getattr(field, name)}' for name in _PROPERTIES if hasattr(field, name)]
    return f'{type(field).__name__}({", ".join(shown)})'


def unreadable(field: IRField, stored: bytes) -> str:
    """Return why a field cannot read these bytes; empty if it can.

    Pickles are not unpickled: that would run code from the file.
    """
    if any(isinstance(each, IRPickleField) for each in (field, *_links(field))):
        return ''
    try:
        field.fromStorage(stored)
    except Exception as error:  # a field type may raise anything
        return str(error) or type(error).__name__
    return ''


def _links(field: IRField) -> list[IRField]:
    return list(getattr(field, 'chainedFields', ()))
