"""Read the objects that match a query: pks by set algebra, then rows.

A small result takes one round trip. The flows only read, so replicas answer them, and so does a
server that is out of memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import compress
from operator import attrgetter
from typing import Any

from ...errors import ConflictError
from ..column import Column
from ..expressions.matching import Matcher
from ..expressions.tree import columns_of
from ..flows import Batch, Command, Flow, Stream, ask, ask_quick
from ..incarnations import newest
from ..keys import Keys
from ..mapping.decoder import Row
from ..mapping.resp import get_rows
from ..mapping.schema import Schema
from .by_pk import CHUNK_ROWS, SMALL_RESULT_ROWS, has_gaps, is_empty
from .query import Query, pks_of
from .sources.base import Source, read_members

__all__ = (
    'Build',
    'drop_nonmatching',
    'fetch',
    'listed',
    'read_markers',
    'taking',
    'with_filtered',
)

# Values of the largest result that comes in one round trip; see SMALL_RESULT_ROWS.
SMALL_RESULT_VALUES = 1000
# The limits of small results grow by this factor for a model with a client-side cache. The cache
# holds only results of one round trip, and asks for each once.
CACHED_RESULT_FACTOR = 2.5
# Rows of the first chunk; each further one is twice as large. The server works on the next chunk
# while the client converts this one, which makes 100 rows a fifth quicker.
FIRST_CHUNK_ROWS = 32
# How often a reader asks whose rows vanished while it read.
READ_ATTEMPTS = 4
# FIND without a limit.
UNLIMITED = 2**53

# Makes objects of pks, their rows, and the id of the newest incarnation when the rows were read.
Take = Callable[[Sequence[int], Sequence[Row], bytes], list[Any]]
# Does so with memos: a list that all chunks of one result share.
Build = Callable[[Sequence[int], Sequence[Row], bytes, list[Any]], list[Any]]


def fetch(
    query: Query,
    columns: Sequence[Column] | None = None,
    ordered: bool = False,
    build: Build | None = None,
) -> Flow[list[Any]]:
    """Return the objects that match, with these columns or all.

    :param build: makes something else than objects of the rows
    """
    columns = query.schema.all if columns is None else columns
    wanted, take = taking(query, columns, build)
    objs: list[Any] = []
    for source in query.sources:
        objs += yield from listed(query, source, wanted, take)
    if ordered:
        objs.sort(key=attrgetter('_id'))
    return objs


def taking(
    query: Query, columns: Sequence[Column], build: Build | None = None
) -> tuple[Sequence[Column], Take]:
    """Return the columns to read, and the function that makes objects of the rows that match.

    :param columns: the columns of the objects
    :param build: makes something else than objects of the rows
    """
    wanted, width = with_filtered(query, columns), len(columns)
    make, memos = build or query.schema.builder(columns).objects, list[Any]()
    matcher = Matcher(query.filters, wanted)

    def take(pks: Sequence[int], rows: Sequence[Row], drawn: bytes) -> list[Any]:
        pks, rows = drop_nonmatching(matcher, pks, rows)
        if len(wanted) != width:
            rows = [row[:width] for row in rows]
        return make(pks, rows, drawn, memos)

    return wanted, take


def listed(query: Query, source: Source, columns: Sequence[Column], take: Take) -> Flow[list[Any]]:
    """Read the rows of one source of pks; return the objects that ``take`` builds.

    This flow alone decides which commands are sent; ``explain()`` rehearses it.

    :param take: is given pks and rows while later ones are on the wire
    """
    fields = query.schema.keys_of(columns)
    found: list[Any] = []
    factor: float = CACHED_RESULT_FACTOR if query.schema.remembers else 1
    most = int(factor * min(SMALL_RESULT_ROWS, SMALL_RESULT_VALUES // len(fields)))
    command = source.find(factor, most, *_arguments(query, fields))
    if command is not None:
        found = yield from ask_quick(*command)
    if len(found) == 3:
        return take(pks_of(query.schema, found[0]), found[1], newest(found[2]))
    return (yield from _listed_many(query, source, fields, take, found))


def _arguments(query: Query, fields: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Return the arguments of scripts that read rows."""
    keys = query.schema.keys
    return (keys.data_prefix, keys.swapped, keys.incarnations, *fields)


class _RowTransfer:
    """Reads the rows of pks, chunk by chunk and in order.

    :param before: the markers, read together with the pks or just before
    """

    def __init__(self, schema: Schema, before: list[Any], pks: Sequence[bytes], take: Take) -> None:
        self._schema, self._take = schema, take
        self._drawn = newest(before[1])
        self._before = self._after = before
        self._names, self._pks = pks, pks_of(schema, pks)
        self._count = 0
        self.taken: list[Any] = []
        self._gaps = False

    def batches(self, fields: tuple[bytes, ...]) -> Iterator[Batch]:
        """Yield the commands that read the rows, and the markers after the last."""
        names, start, size = self._names, 0, min(FIRST_CHUNK_ROWS, CHUNK_ROWS)
        keys = self._schema.keys
        while start < len(names):
            commands = get_rows(keys.data_prefix, names[start : start + size], fields)
            start += size
            if start >= len(names):
                commands.append(read_markers(keys))
            yield Batch(commands)
            size = min(2 * size, CHUNK_ROWS)

    def rows(self, rows: list[Any]) -> None:
        """Take the replies to one batch."""
        if len(rows) > len(self._pks) - self._count:
            self._after = rows.pop()
        pks = self._pks[self._count : self._count + len(rows)]
        self._count += len(rows)
        self._gaps = self._gaps or has_gaps(rows)
        self.taken += self._take(pks, rows, self._drawn)

    @property
    def replaced(self) -> bool:
        """Whether a reset replaced rows in place while they were read, or an incarnation began."""
        return bool(self._before != self._after)

    @property
    def whole(self) -> bool:
        """Whether the rows belong to the data set of one moment."""
        return not (self._gaps or self.replaced)


def _listed_many(
    query: Query,
    source: Source,
    fields: tuple[bytes, ...],
    take: Take,
    found: Sequence[Any],
) -> Flow[list[Any]]:
    """Read pks first, then rows in overlapping chunks.

    If rows vanished meanwhile, or a reset replaced rows in place, it asks again. So the result is
    the data set before or after a reset. It asks again too if another incarnation began: the rows
    may be of a primary that was replaced.

    :param found: the pks and the markers, if a script has returned them
    """
    schema = query.schema
    for _ in range(READ_ATTEMPTS):
        if found:
            pks, before = found
        else:
            # The markers first, so that a swap between the two commands changes them.
            pks, (before,) = yield from read_members(source, read_markers(schema.keys))
        transfer = _RowTransfer(schema, before, pks, take)
        yield Stream(transfer.batches(fields), transfer.rows)
        if transfer.whole:
            break
        found = ()
    if transfer.replaced:
        # Resets come faster than rows, so one script reads all of them.
        command = source.find_all(UNLIMITED, *_arguments(query, fields))
        if command is None:
            raise ConflictError(
                f'{schema.name}: resets replaced the data set {READ_ATTEMPTS} times while a query '
                'of many values read it. Read again, or reset less often.'
            )
        pks, rows, record = yield from ask(*command)
        return take(pks_of(schema, pks), rows, newest(record))
    return transfer.taken


def read_markers(keys: Keys) -> Command:
    """Return the command that reads the swap marker and the record of incarnations."""
    return 'MGET', keys.swapped, keys.incarnations


def with_filtered(query: Query, columns: Sequence[Column]) -> Sequence[Column]:
    """Return the columns, then those that tell whether a row matches.

    They include the first field of the model. Without it, a row that has none of the columns would
    look like a missing row.
    """
    if columns is query.schema.all:
        return columns
    return list(dict.fromkeys([*columns, query.schema.all[0], *columns_of(query.filters)]))


def drop_nonmatching(
    matcher: Matcher, pks: Sequence[int], rows: Sequence[Row]
) -> tuple[Sequence[int], Sequence[Row]]:
    """Leave out rows that are gone or do not match: other processes write meanwhile."""
    if has_gaps(rows):
        there = [not is_empty(row) for row in rows]
        pks, rows = list(compress(pks, there)), list(compress(rows, there))
    mask = matcher.mask(pks, rows)
    return (pks, rows) if mask is None else (list(compress(pks, mask)), list(compress(rows, mask)))
