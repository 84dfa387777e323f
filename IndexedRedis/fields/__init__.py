"""Field types: they convert values to stored bytes and back, and know neither Redis nor models.

A new field type is one file in ``types/``: derive from :class:`~IndexedRedis.fields.base.IRField`
and implement ``_fromInput``, ``_toStorage``, ``_fromStorage`` and, if the index text differs from
the stored one, ``_toIndex``. Import its name here. A new type for ``valueType=`` is one file in
``values/`` and a row in ``base/conversions.py``. Add the samples of both to a table of
``tests/samples/fields.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .b64 import IRBase64Field
from .base import IRField, immutable_value
from .bytes_field import IRBytesField
from .chain import IRFieldChain
from .classic import IRClassicField
from .compressed import IRCompressedField
from .FieldValueTypes import IRDatetimeValue, IRJsonValue
from .fixedpoint import IRFixedPointField
from .foreign import IRForeignLinkField, IRForeignLinkFieldBase, IRForeignMultiLinkField
from .null import (
    IR_NULL_BYTES,
    IR_NULL_STR,
    IR_NULL_STRINGS,
    IR_NULL_UNICODE,
    IRNullType,
    irNull,
)
from .raw import IRRawField
from .types.datetime_field import IRDatetimeField
from .types.enum_field import IREnumField
from .unicode_field import IRUnicodeField

if TYPE_CHECKING:
    from .pickle_field import IRPickleField
    from .types.decimal_field import IRDecimalField

__all__ = (
    'IR_NULL_BYTES',
    'IR_NULL_STR',
    'IR_NULL_STRINGS',
    'IR_NULL_UNICODE',
    'IRBase64Field',
    'IRBytesField',
    'IRClassicField',
    'IRCompressedField',
    'IRDatetimeField',
    'IRDatetimeValue',
    'IRDecimalField',
    'IREnumField',
    'IRField',
    'IRFieldChain',
    'IRFixedPointField',
    'IRForeignLinkField',
    'IRForeignLinkFieldBase',
    'IRForeignMultiLinkField',
    'IRJsonValue',
    'IRNullType',
    'IRPickleField',
    'IRRawField',
    'IRUnicodeField',
    'immutable_value',
    'irNull',
)


def __getattr__(name: str) -> Any:
    # Modules that take longer to import than all fields together.
    if name == 'IRPickleField':
        from .pickle_field import IRPickleField

        return IRPickleField
    if name == 'IRDecimalField':
        from .types.decimal_field import IRDecimalField

        return IRDecimalField
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
