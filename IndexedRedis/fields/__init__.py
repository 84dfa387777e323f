"""Field types: values in, values out. No Redis, no model.

A new field type is one file here: derive from :class:`~IndexedRedis.fields.base.IRField`,
implement ``_toStorage``, ``_fromStorage``, ``_fromInput`` (and ``_toIndex`` where the index text
differs from the stored one), and add its samples to ``tests/samples.py``.
"""

from __future__ import annotations

from .base import IRField, immutable_value
from .classic import IRClassicField
from .FieldValueTypes import IRDatetimeValue, IRJsonValue
from .null import (
    IR_NULL_BYTES,
    IR_NULL_STR,
    IR_NULL_STRINGS,
    IR_NULL_UNICODE,
    IRNullType,
    irNull,
)
from .raw import IRRawField

__all__ = (
    'IR_NULL_BYTES',
    'IR_NULL_STR',
    'IR_NULL_STRINGS',
    'IR_NULL_UNICODE',
    'IRClassicField',
    'IRDatetimeValue',
    'IRField',
    'IRJsonValue',
    'IRNullType',
    'IRRawField',
    'immutable_value',
    'irNull',
)
