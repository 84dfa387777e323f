"""Rows of stored bytes become objects, by code generated once for each model and field list.

Cheap immutable values are converted here, in bulk, while the next rows are on the wire. A bounded
memo of bytes already seen lives as long as one result: a hit costs a tenth of a conversion, and
equal values share one object (half the memory of a row). Other values wait as bytes for their
first touch, and so does whatever cannot be decoded, so one bad value never spoils a list.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..encoding import getDefaultIREncoding
from .column import Column
from .state import State

__all__ = ('FEW', 'Memo', 'RowBuilder')

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
    built = []
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


def _compile(columns: Sequence[Column], partial: bool, converted: str) -> Callable[..., list[Any]]:
    """Generate the function that turns rows of these columns into objects.

    :param columns: the columns, in the order of the row
    :param partial: whether the model has other fields, which are not fetched
    :param converted: how the value of column i comes of its converter ``mi`` and its bytes ``vi``
    """
    cheap = [i for i, column in enumerate(columns) if column.cheap]
    waiting = [i for i, column in enumerate(columns) if not column.cheap]
    raw = ', '.join(f'{columns[i].name!r}: v{i}' for i in waiting)
    source = _TEMPLATE.format(
        memos=''.join(f'm{i}, ' for i in cheap),
        variables=''.join(f'v{i}, ' for i in range(len(columns))),
        state=f"values['_state'] = State(True, {{{raw}}}, fetched)" if waiting or partial else '',
        statements='\n            '.join(
            f'values[{columns[i].name!r}] = {converted.format(i=i)}' for i in cheap
        ),
    )
    fetched = frozenset(column.name for column in columns) if partial else None
    namespace: dict[str, Any] = {'State': State, 'fetched': fetched}
    exec(source, namespace)
    build: Callable[..., list[Any]] = namespace['build']
    return build


class RowBuilder:
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
        self._decoders = [column.decoder() for column in columns if column.cheap]
        self._build_few = _compile(columns, partial, 'm{i}(v{i})')
        self._build_many = _compile(columns, partial, 'm{i}[v{i}]')

    def objects(
        self, pks: Sequence[int], rows: Sequence[Row], memos: list[Memo] | None = None
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
                memos += map(Memo, self._decoders)
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
            if not column.cheap:
                continue
            try:
                obj.__dict__[column.name] = column.decode(stored)
            except Exception:
                obj.__dict__.pop(column.name, None)
                state.raw[column.name] = stored
