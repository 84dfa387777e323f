"""Encode whole objects to rows of stored bytes, by code generated once for each model.

As in ``decoder.py``, text and numbers are converted in the line that needs them. Other canonical
fields, whose equal values have equal stored bytes, go through a bounded memo that lives as long as
one operation: a hit takes a tenth of a conversion.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

from ...encoding import getDefaultIREncoding, is_utf8
from ...fields.base.primary_keys import HIGHEST_PK
from ...fields.foreign import ForeignLinkData
from ...fields.null import IR_NULL_BYTES, IR_NULL_STR, irNull
from ..column import Column
from ..objects.state import FRESH, current_bytes
from .decoder import ROWS_WITHOUT_MEMO, Memo

__all__ = ('RowEncoder', 'StoredRow', 'StoredRows', 'compile_packer', 'compile_row_encoder')

# The stored bytes of each field, in the order of the model.
StoredRow = tuple[bytes, ...]


class StoredRows:
    """A data set of new objects, encoded already: an iterator of lists of rows.

    The pks of their links must be known, so no row may link to another one of the data set.
    """

    def __init__(self, blocks: Iterator[list[StoredRow]]) -> None:
        self._blocks = blocks

    def __iter__(self) -> Iterator[list[StoredRow]]:
        return self._blocks


_ENCODE = """\
def encode(objs, reserved, careful, current, {parameters}):
    rows, null, none, link, fresh = [], NULL, NONE, LINK, FRESH
    for obj in objs:
        values = obj.__dict__
        is_new = values.get('_state') is fresh
        try:
            row = ({values})
        except Exception:
            row = careful(obj, reserved)
        rows.append(row)
    return rows
"""

_PACK = """\
def pack(rows, head, {keys}):
    join = b''.join
    return [join(({head!r}, {parts})) for ({row}) in rows]
"""


# Expressions for values of exactly the field's type. The text that stands for null is refused.
# With 6 floats among 20 columns, that of float saves a tenth of a mirror, and a fifth of a diff.
_INLINE: dict[Any, str] = {
    int: "b'%d' % v if type(v := {value}) is int else m{i}(v)",
    str: 'v.encode() if type(v := {value}) is str and v != null else m{i}(v)',
    float: 'repr(v).encode() if type(v := {value}) is float else m{i}(v)',
}


_VALUES = """\
def encode(row):
    {variables} = row
    return ({values})
"""

# A pk that a row of values has for a link.
_PK = "b'%d' % v if type(v := {value}) is int and 0 < v <= HIGHEST_PK else m{i}(v)"

# The link of a new object: null, or a pk. Other objects may keep their stored bytes.
_LINK = (
    'none if is_new and (v := values[{slot}]) is irNull '
    "else b'%d' % v.pk if is_new and type(v) is link and v.pk "
    'else current(obj, m{i}, reserved)'
)


def _inline(column: Column) -> str | None:
    return _INLINE.get(column.native_type) if column.native_type is not str or is_utf8() else None


def _has_memo(column: Column) -> bool:
    return column.canonical and _inline(column) is None


def _encoded(i: int, column: Column, many: bool) -> str:
    """Return the expression that encodes a column by ``mi``, its encoder or memo."""
    if column.links_to_one and column.nullable:
        return _LINK.format(i=i, slot=repr(column.slot))
    if not column.canonical:
        return f'current(obj, m{i}, reserved)'
    slow = f'm{i}[{{value}}]' if many else f'm{i}({{value}})'
    return (_inline(column) or slow).format(i=i, value=f'values[{column.slot!r}]')


def compile_encoder(columns: Sequence[Column], many: bool) -> Callable[..., list[StoredRow]]:
    """Generate the function that encodes objects to rows of these columns.

    :param many: whether the function gets memos instead of slow encoders
    """
    values = ''.join(f'{_encoded(i, column, many)}, ' for i, column in enumerate(columns))
    parameters = ', '.join(f'm{i}' for i in range(len(columns)))
    namespace: dict[str, Any] = {
        **{'NULL': IR_NULL_STR, 'NONE': IR_NULL_BYTES, 'irNull': irNull},
        **{'LINK': ForeignLinkData, 'FRESH': FRESH},
    }
    exec(_ENCODE.format(parameters=parameters, values=values), namespace)
    encode: Callable[..., list[StoredRow]] = namespace['encode']
    return encode


def compile_packer(columns: Sequence[Column]) -> Callable[[Sequence[StoredRow]], list[bytes]]:
    """Generate the function that packs rows for a script, each to one MessagePack array.

    One argument a row, instead of one a value, saves a third of the server's time and half of the
    client's. The array has names and values in turn, as HSET takes them.
    """
    numbers = range(len(columns))
    source = _PACK.format(
        keys=', '.join(f'k{i}' for i in numbers),
        head=_array_head(2 * len(columns)),
        parts=', '.join(f'k{i}, head[len(v{i})], v{i}' for i in numbers),
        row=''.join(f'v{i}, ' for i in numbers),
    )
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    pack: Callable[..., list[bytes]] = namespace['pack']
    keys = [_text_head(len(column.key)) + column.key for column in columns]
    return lambda rows: pack(rows, _HEADS, *keys)


def _text_head(length: int) -> bytes:
    """Return the MessagePack head of a text of so many bytes."""
    if length < 32:
        return bytes([0xA0 | length])
    if length < 1 << 8:
        return b'\xd9' + length.to_bytes(1, 'big')
    if length < 1 << 16:
        return b'\xda' + length.to_bytes(2, 'big')
    return b'\xdb' + length.to_bytes(4, 'big')


_HEADS = Memo(_text_head)


def _array_head(length: int) -> bytes:
    return b'\xdd' + length.to_bytes(4, 'big')


def compile_row_encoder(
    columns: Sequence[Column],
    names: Sequence[str | None],
    converters: Mapping[str, Callable[[Any], bytes]],
    called: Container[str],
) -> Callable[[Sequence[Any]], StoredRow]:
    """Generate the function that encodes a row of values, as if an object was made of it.

    Numbers and text of the type of their field, and pks, are encoded in the line that needs
    them. A user's type of field may read them as others, so it gets a call.

    :param columns: all columns of the model
    :param names: the field of each value of a row, or None for a value that has none. Fields that
        are not named get their default.
    :param converters: what encodes the other values of some fields, None for null among them
    :param called: fields whose every value goes to its converter
    """
    numbers = {name: number for number, name in enumerate(names) if name is not None}
    namespace: dict[str, Any] = {'null': IR_NULL_STR, 'HIGHEST_PK': HIGHEST_PK}
    values = ''
    for i, column in enumerate(columns):
        if column.name not in numbers:
            namespace[f'm{i}'], text = partial(_default, column), 'm{i}()'
        else:
            namespace[f'm{i}'] = converters.get(column.name) or partial(_converted, column)
            text = _PK if column.links_to_one else 'm{i}({value})'
            if (
                column.field.quick_conversion() in (int, bytes.decode, float)
                and column.name not in called
            ):
                text = _inline(column) or text
        values += text.format(i=i, value=f'v{numbers.get(column.name)}') + ', '
    variables = ''.join(f'v{number}, ' for number in range(len(names)))
    exec(_compiled(_VALUES.format(variables=variables, values=values)), namespace)
    encode: Callable[[Sequence[Any]], StoredRow] = namespace['encode']
    return encode


@lru_cache(256)
def _compiled(source: str) -> Any:
    """Return the code of a text: a mirror that follows makes an encoder for each batch of rows."""
    return compile(source, '<encoder of rows>', 'exec')


def _default(column: Column) -> bytes:
    return column.encode(column.default())


def _converted(column: Column, value: Any) -> bytes:
    return column.encode(column.from_input(irNull if value is None else value))


class RowEncoder:
    """Encodes whole objects of one model.

    :param columns: all columns of the model, in order
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        #: the default encoding that the encoders were made for
        self.encoding = getDefaultIREncoding()
        self._encoders: list[Any] = [c.encode if c.canonical else c for c in columns]
        self._encode_few = compile_encoder(columns, many=False)
        self._encode_many = compile_encoder(columns, many=True)

    def memos(self) -> list[Any]:
        """Return the encoders and memos for the objects of one operation."""
        pairs = zip(self._columns, self._encoders, strict=True)
        return [Memo(encode) if _has_memo(column) else encode for column, encode in pairs]

    def rows(
        self, objs: Sequence[Any], reserved: Mapping[int, int], memos: Sequence[Any] = ()
    ) -> list[StoredRow]:
        """Return the rows of objects.

        :param reserved: reserved pks of unsaved linked objects, by ``id()`` of the object
        :param memos: the result of :meth:`memos`, if the operation has more objects than these
        :raises FieldValueError: if a value has no stored form
        """
        if len(objs) <= ROWS_WITHOUT_MEMO and not memos:
            encode, encoders = self._encode_few, self._encoders
        else:
            encode, encoders = self._encode_many, list(memos) or self.memos()
        return encode(objs, reserved, self._carefully, current_bytes, *encoders)

    def _carefully(self, obj: Any, reserved: Mapping[int, int]) -> StoredRow:
        """Encode an object with undecoded values, or raise the error of the wrong one."""
        return tuple(current_bytes(obj, column, reserved) for column in self._columns)
