"""Cut the rows of a select into a part for each worker, by the key of the rows.

The rule: the parts are conditions on the key that exclude each other and cover all keys, null
included. So each row is in one part, whatever the keys are, and rows of one key are in the same.

Integers are cut into ranges between bounds. The bounds are read at equal distances in the order of
the keys, so that parts have the same number of rows, whatever gaps and outliers the keys have. The
database needs the order of the keys only, which is a walk of the index of a table. Other keys are
cut by a hash that the database computes, so each worker's select then walks over all rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Text, cast, func, literal, select, type_coerce
from sqlalchemy.sql import Select

from ... import IRField
from ...errors import UsageError
from ..database import Snapshot, subquery_of
from ..layout import Layout
from ..order import links_to_itself
from ..source import Source

__all__ = ('Cut', 'cut_of', 'part_of')

# The type codes of integers in the descriptions of cursors.
_INTEGERS = {'postgresql': (20, 21, 23), 'mysql': (1, 2, 3, 8, 9)}
# What stands between the columns of a key that are hashed together.
_BETWEEN = '/'


class Cut(NamedTuple):
    """How a select is cut.

    :param names: the names of its columns
    :param numbers: the numbers of the columns by which it is cut; empty: it is not cut
    :param bounds: for ranges, the lowest number of each part but the first; else empty
    :param workers: how many parts there are
    :param reader: the number of the worker that reads a select that is not cut
    :param rows: how many rows the select gives
    :param apart: whether equal keys are in one part even as the model stores them
    """

    names: tuple[str, ...]
    numbers: tuple[int, ...]
    bounds: tuple[int, ...]
    workers: int
    reader: int
    rows: int
    apart: bool

    def has_part(self, number: int) -> bool:
        """Return whether a worker has a part."""
        return bool(self.numbers) or number == self.reader


def cut_of(
    source: Source, sources: Sequence[Source], snapshot: Snapshot, workers: int, reader: int
) -> Cut:
    """Return how a select is cut.

    :param reader: the worker that reads it if it is not cut
    :raises UsageError: if it cannot be a subquery
    """
    columns = snapshot.columns(source.statement)
    rows = None if columns is None else snapshot.count(source.statement)
    names = tuple(name for name, _ in columns or ())
    if columns is None or rows is None or len({*names}) < len(names):
        raise UsageError(
            f'{source.name}: workers={workers} reads the select as a subquery, which the database '
            'refuses. Give each of its columns a name of its own, and put no comment at its end; '
            'or load with workers=1.'
        )
    layout = Layout(source, names, sources)
    # Rows that link to each other need one reader, which makes those that wait for others.
    if links_to_itself(source) or not rows:
        return Cut(names, (), (), workers, reader, rows, True)
    codes = _INTEGERS[_kind(snapshot)]
    integer = next((number for number in layout.key if columns[number][1] in codes), None)
    if integer is None:
        return Cut(names, layout.key, (), workers, reader, rows, False)
    bounds = _bounds(snapshot, source, names, integer, workers)
    apart = _stays(source, layout.fields[integer])
    return Cut(names, (integer,), bounds, workers, reader, rows, apart)


def _kind(snapshot: Snapshot) -> str:
    name = snapshot.connection.dialect.name
    return 'mysql' if name == 'mariadb' else name


def _stays(source: Source, name: str | None) -> bool:
    """Return whether different integers stay different in the field that they feed."""
    if name is None:  # a link, or no field
        return True
    field = source.fields[name]
    return type(field) is IRField and field.valueType is int


def _bounds(
    snapshot: Snapshot, source: Source, names: Sequence[str], number: int, workers: int
) -> tuple[int, ...]:
    rows = subquery_of(source.statement, names)
    key = type_coerce(list(rows.c)[number], BigInteger())
    connection = snapshot.connection
    filled = connection.execute(select(func.count(key)).select_from(rows)).scalar_one()
    if not filled:
        return (0,) * (workers - 1)
    ordered = select(key).where(key.is_not(None)).order_by(key).limit(1)
    places = (filled * part // workers for part in range(1, workers))
    return tuple(connection.execute(ordered.offset(place)).scalar_one() for place in places)


def part_of(source: Source, cut: Cut, number: int, kind: str) -> Any:
    """Return the select of the rows of one worker.

    :param number: that of the worker, from 0
    :param kind: the name of the dialect of SQLAlchemy
    """
    if not cut.numbers:
        return source.statement
    rows = subquery_of(source.statement, cut.names)
    keys = [list(rows.c)[column] for column in cut.numbers]
    mine = _in_range(keys[0], cut, number) if cut.bounds else _hashed(keys, cut, number, kind)
    whole: Select[Any] = select(rows)
    return whole.where(mine)


def _in_range(column: Any, cut: Cut, number: int) -> Any:
    key = type_coerce(column, BigInteger())
    if number == 0:
        return (key < _number(cut.bounds[0])) | key.is_(None)
    above = key >= _number(cut.bounds[number - 1])
    return above if number == len(cut.bounds) else above & (key < _number(cut.bounds[number]))


def _number(value: int) -> Any:
    return literal(value, BigInteger())


def _hashed(keys: Sequence[Any], cut: Cut, number: int, kind: str) -> Any:
    """Return the condition that a hash of the columns gives; concat_ws() leaves out nulls."""
    if kind == 'postgresql':
        text = func.concat_ws(_BETWEEN, *(cast(key, Text) for key in keys))
        hashed: Any = func.abs(cast(func.hashtext(text), BigInteger))
    else:
        hashed = func.crc32(func.concat_ws(_BETWEEN, *map(func.hex, keys)))
    return func.mod(hashed, cut.workers) == number
