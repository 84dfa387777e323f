"""Decode rows of stored bytes to objects, by code generated once for each list of columns.

Eager values are decoded here, in bulk, while later rows are on the wire. Text and numbers are
converted in the line that stores them: half the time of a lookup in a memo. Indexed text, which
repeats, and slower conversions go through a bounded memo that lives as long as one result. Other
values, and bytes that cannot be decoded, stay bytes until the first read of the attribute.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...encoding import getDefaultIREncoding
from ...fields.null import IR_NULL_BYTES
from ..column import Column
from ..objects.state import State, own_state, stored_state

__all__ = ('ROWS_WITHOUT_MEMO', 'Memo', 'RowDecoder', 'converted', 'has_memo')

Row = Sequence[bytes | None]

# Entries of one memo.
MEMO_ENTRIES = 2048
# Up to this many rows are decoded without memos: making one takes as long as a few conversions.
ROWS_WITHOUT_MEMO = 8


class Memo(dict):  # type: ignore[type-arg]
    """A dict that computes missing values, and keeps the first 2,048 of them.

    :param convert: computes the value of a key
    """

    __slots__ = ('_convert',)

    def __init__(self, convert: Callable[[Any], Any]) -> None:
        self._convert = convert

    def __missing__(self, key: Any) -> Any:
        value = self._convert(key)
        if len(self) < MEMO_ENTRIES:
            self[key] = value
        return value


_TEMPLATE = """\
def build(new, cls, pks, rows, {memos} careful, shared):
    built, null, drawn = [], NULL, shared.drawn
    for pk, row in zip(pks, rows):
        {variables} = row
        obj = new(cls)
        values = obj.__dict__
        values['_id'] = pk
        values['_state'] = {state}
        try:
            pass
            {statements}
        except Exception:
            careful(obj, row)
        built.append(obj)
    return built
"""


# Conversions as expressions, which need no call.
_INLINE = {int: 'int({v})', float: 'float({v})', bytes.decode: '{v}.decode()'}
_OF_STORED = '{inline} if {v} is not None and {v} != null else m{i}({v})'


def _inline(column: Column) -> str | None:
    return _INLINE.get(column.field.quick_conversion())


def has_memo(column: Column) -> bool:
    """Return whether a memo saves time; for indexed text, which repeats, it saves memory."""
    return _inline(column) is None or (column.indexed and column.field.valueType is str)


def converted(i: int, column: Column, many: bool) -> str:
    """Return the expression that decodes ``vi`` by ``mi``, the column's decoder or memo."""
    if many and has_memo(column):
        return f'm{i}[v{i}]'
    inline = _inline(column)
    v = f'v{i}'
    return _OF_STORED.format(inline=inline.format(v=v), v=v, i=i) if inline else f'm{i}({v})'


def _compile(columns: Sequence[Column], partial: bool, many: bool) -> Callable[..., list[Any]]:
    """Generate the function that decodes rows of these columns to objects.

    :param columns: the columns, in the order of the row
    :param partial: whether the model has other columns
    :param many: whether the function gets memos instead of slow decoders
    """
    eager = [i for i, column in enumerate(columns) if column.eager]
    lazy = [i for i, column in enumerate(columns) if not column.eager]
    raw = ', '.join(f'{columns[i].name!r}: v{i}' for i in lazy)
    source = _TEMPLATE.format(
        memos=''.join(f'm{i}, ' for i in eager),
        variables=''.join(f'v{i}, ' for i in range(len(columns))),
        state=f'State(True, {{{raw}}}, fetched, drawn)' if lazy or partial else 'shared',
        statements='\n            '.join(
            f'values[{columns[i].name!r}] = {converted(i, columns[i], many)}' for i in eager
        ),
    )
    fetched = frozenset(column.name for column in columns) if partial else None
    namespace: dict[str, Any] = {'State': State, 'fetched': fetched, 'NULL': IR_NULL_BYTES}
    exec(source, namespace)
    build: Callable[..., list[Any]] = namespace['build']
    return build


class RowDecoder:
    """Builds objects from rows of certain columns.

    :param cls: the model
    :param columns: the columns, in the order of the row
    :param partial: whether the model has other columns
    :param adopt: called with each object, if the model has its own ``__init__``
    """

    def __init__(
        self,
        cls: type,
        columns: Sequence[Column],
        partial: bool,
        adopt: Callable[[Any], None] | None = None,
    ) -> None:
        self._cls, self._columns, self._adopt = cls, columns, adopt
        #: the default encoding that the decoders were made for
        self.encoding = getDefaultIREncoding()
        eager = [column for column in columns if column.eager]
        self._decoders = [column.decoder() for column in eager]
        self._memos = [has_memo(column) for column in eager]
        self._build_few = _compile(columns, partial, many=False)
        self._build_many = _compile(columns, partial, many=True)

    def objects(
        self,
        pks: Sequence[int],
        rows: Sequence[Row],
        drawn: bytes,
        memos: list[Any] | None = None,
    ) -> list[Any]:
        """Return the objects of these pks and rows.

        :param drawn: the id of the newest incarnation when the rows were read; ``b''`` if there
            was none
        :param memos: a list that all chunks of one result share; the first one fills it
        """
        new, cls, last = self._cls.__new__, self._cls, (self._carefully, stored_state(drawn))
        if len(rows) <= ROWS_WITHOUT_MEMO:
            built = self._build_few(new, cls, pks, rows, *self._decoders, *last)
        else:
            memos = [] if memos is None else memos
            if not memos:
                pairs = zip(self._decoders, self._memos, strict=True)
                memos += (Memo(decode) if has_memo else decode for decode, has_memo in pairs)
            built = self._build_many(new, cls, pks, rows, *memos, *last)
        if self._adopt is not None:
            for obj in built:
                self._adopt(obj)
        return built

    def _carefully(self, obj: Any, row: Row) -> None:
        """Fill an object that has undecodable bytes; those stay bytes until they are read."""
        state = own_state(obj)
        for column, stored in zip(self._columns, row, strict=True):
            if not column.eager:
                continue
            try:
                obj.__dict__[column.name] = column.decode(stored)
            except Exception:
                obj.__dict__.pop(column.name, None)
                state.raw[column.name] = stored
