"""Rows of stored bytes become objects, by code generated once for each model and field list.

Cheap immutable values are converted here, in bulk, while the next rows are on the wire. Text and
numbers are converted in the line that stores them, which takes half the time of looking up
whether the same bytes were seen before. Of indexed texts, which repeat, and of what takes longer to
convert, a bounded memo lives as long as one result, so that equal values share one object. Other
values wait as bytes for their first touch, and so does whatever cannot be decoded, so one bad
value never spoils a list.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...encoding import getDefaultIREncoding
from ...fields.null import IR_NULL_BYTES
from ..column import Column
from ..objects.state import State

__all__ = ('FEW', 'Memo', 'RowDecoder')

Row = Sequence[bytes | None]

_REMEMBERED = 2048
# As many rows are converted without a memo: making one takes as long as a few conversions.
FEW = 8


class Memo(dict):  # type: ignore[type-arg]
    """Converts what it is asked for, and remembers the first few thousand answers.

    :param convert: from stored bytes (``None``: absent) to the value
    """

    __slots__ = ('_convert',)

    def __init__(self, convert: Callable[[Any], Any]) -> None:
        self._convert = convert

    def __missing__(self, stored: bytes | None) -> Any:
        value = self._convert(stored)
        if len(self) < _REMEMBERED:
            self[stored] = value
        return value


_TEMPLATE = """\
def build(new, cls, pks, rows, {memos} careful):
    built, null = [], NULL
    for pk, row in zip(pks, rows):
        {variables} = row
        obj = new(cls)
        values = obj.__dict__
        values['_id'] = pk
        {state}
        try:
            pass
            {statements}
        except Exception:
            careful(obj, row)
        built.append(obj)
    return built
"""


# Conversions that are written where the value is needed, without a call.
_INLINE = {int: 'int({v})', float: 'float({v})', bytes.decode: '{v}.decode()'}
_OF_STORED = '{inline} if {v} is not None and {v} != null else m{i}({v})'


def _inline(column: Column) -> str | None:
    return _INLINE.get(column.field.quick_conversion())


def _remembers(column: Column) -> bool:
    """Whether a memo is worth it: what it saves is time, or of texts that repeat, memory."""
    return _inline(column) is None or (column.indexed and column.field.valueType is str)


def _converted(i: int, column: Column, many: bool) -> str:
    """How the value of a column comes of its bytes ``vi`` and its converter ``mi``, or its memo."""
    if many and _remembers(column):
        return f'm{i}[v{i}]'
    inline = _inline(column)
    v = f'v{i}'
    return _OF_STORED.format(inline=inline.format(v=v), v=v, i=i) if inline else f'm{i}({v})'


def _compile(columns: Sequence[Column], partial: bool, many: bool) -> Callable[..., list[Any]]:
    """Generate the function that turns rows of these columns into objects.

    :param columns: the columns, in the order of the row
    :param partial: whether the model has other fields, which are not fetched
    :param many: whether it is given memos in place of the converters that are slow
    """
    cheap = [i for i, column in enumerate(columns) if column.eager]
    waiting = [i for i, column in enumerate(columns) if not column.eager]
    raw = ', '.join(f'{columns[i].name!r}: v{i}' for i in waiting)
    source = _TEMPLATE.format(
        memos=''.join(f'm{i}, ' for i in cheap),
        variables=''.join(f'v{i}, ' for i in range(len(columns))),
        state=f"values['_state'] = State(True, {{{raw}}}, fetched)" if waiting or partial else '',
        statements='\n            '.join(
            f'values[{columns[i].name!r}] = {_converted(i, columns[i], many)}' for i in cheap
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
    :param partial: whether the model has other fields, which are not fetched
    :param adopt: called with each object where the model has an ``__init__`` of its own
    """

    def __init__(
        self,
        cls: type,
        columns: Sequence[Column],
        partial: bool,
        adopt: Callable[[Any], None] | None = None,
    ) -> None:
        self._cls, self._columns, self._adopt = cls, columns, adopt
        #: what the decoders take the default encoding to be
        self.encoding = getDefaultIREncoding()
        cheap = [column for column in columns if column.eager]
        self._decoders = [column.decoder() for column in cheap]
        self._remembered = [_remembers(column) for column in cheap]
        self._build_few = _compile(columns, partial, many=False)
        self._build_many = _compile(columns, partial, many=True)

    def objects(
        self, pks: Sequence[int], rows: Sequence[Row], memos: list[Any] | None = None
    ) -> list[Any]:
        """Return the objects of these pks and rows.

        :param memos: an empty list that is filled, for the chunks of one result
        """
        new = self._cls.__new__
        if len(rows) <= FEW:
            built = self._build_few(new, self._cls, pks, rows, *self._decoders, self._carefully)
        else:
            memos = [] if memos is None else memos
            if not memos:
                pairs = zip(self._decoders, self._remembered, strict=True)
                memos += (Memo(decode) if remembered else decode for decode, remembered in pairs)
            built = self._build_many(new, self._cls, pks, rows, *memos, self._carefully)
        if self._adopt is not None:
            for obj in built:
                self._adopt(obj)
        return built

    def _carefully(self, obj: Any, row: Row) -> None:
        """Fill an object one of whose values cannot be decoded; that one waits to be touched."""
        state = State(True)
        waiting = obj.__dict__.get('_state')
        if waiting is not None:
            state.raw, state.fetched = waiting.raw, waiting.fetched
        obj.__dict__['_state'] = state
        for column, stored in zip(self._columns, row, strict=True):
            if not column.eager:
                continue
            try:
                obj.__dict__[column.name] = column.decode(stored)
            except Exception:
                obj.__dict__.pop(column.name, None)
                state.raw[column.name] = stored
