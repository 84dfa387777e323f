"""The flows that read: pks by set algebra, then rows, in one trip where the result is small.

All of them only read, so replicas answer them, and a server that is out of memory does too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import compress
from operator import attrgetter
from typing import Any

from ..column import Column
from ..flows import Batch, Command, Flow, Stream, ask, ask_quick
from ..mapping.decoder import Row
from ..mapping.resp import get_rows
from ..mapping.schema import Schema
from . import set_algebra
from .by_pk import CHUNK_ROWS, SMALL_RESULT_ROWS, _has_gaps, _is_empty
from .matching import Matcher
from .query import Query, pks_of
from .scripts import FIND

__all__ = (
    'drop_nonmatching',
    'fetch',
    'find',
    'listed',
    'with_filtered',
)

SMALL_RESULT_VALUES = 1000
# How many members a script may look at: it holds up the server for well under a millisecond.
FIND_MEMBERS = 2000
# Nearly all members of a single index set match: of more than these a command tells sooner.
FIND_MEMBERS_OF_ONE_SET = 200
# So many times these, where answers are remembered: only one trip can be, and it is asked once.
CACHED_RESULT_FACTOR = 2.5
# Rows come in chunks, the first ones smaller: while they are converted the server works on the
# next, which makes 100 rows a fifth quicker.
FIRST_CHUNK_ROWS = 32
# How often a reader whose rows went away under it asks anew.
READ_ATTEMPTS = 4
UNLIMITED = 2**53

# Makes something of pks and their rows.
Take = Callable[[Sequence[int], Sequence[Row]], list[Any]]


def fetch(
    query: Query, columns: Sequence[Column] | None = None, ordered: bool = False
) -> Flow[list[Any]]:
    """The objects that match, with these columns or all."""
    columns = query.schema.all if columns is None else columns
    wanted, width = with_filtered(query, columns), len(columns)
    builder, memos = query.schema.builder(columns), list[Any]()
    matcher = Matcher(query.filters, wanted)

    def take(pks: Sequence[int], rows: Sequence[Row]) -> list[Any]:
        pks, rows = drop_nonmatching(matcher, pks, rows)
        if len(wanted) != width:
            rows = [row[:width] for row in rows]
        return builder.objects(pks, rows, memos)

    objs: list[Any] = []
    for expression in query.excluding_dead:
        objs += yield from listed(query, expression, wanted, take)
    if ordered:
        objs.sort(key=attrgetter('_id'))
    return objs


def listed(
    query: Query, expression: set_algebra.SetExpression, columns: Sequence[Column], take: Take
) -> Flow[list[Any]]:
    """What the index sets say: the pks of one expression, and their rows as they are.

    All that decides which commands are sent is in here; :mod:`explain` rehearses it.

    :param take: makes something of pks and rows, while later ones are on the wire
    :returns: what it made
    """
    fields = query.schema.keys_of(columns)
    found: list[Any] = []
    if set_algebra.is_short(expression):
        plain = len(expression.every) <= 2 and not expression.none
        factor: float = CACHED_RESULT_FACTOR if query.schema.remembers else 1
        members = int(FIND_MEMBERS_OF_ONE_SET * factor) if plain else FIND_MEMBERS
        most = int(factor * min(SMALL_RESULT_ROWS, SMALL_RESULT_VALUES // len(fields)))
        found = yield from ask_quick(*find(query, expression, fields, members, most))
    if len(found) == 2:
        return take(pks_of(query.schema, found[0]), found[1])
    return (yield from _listed_many(query, expression, fields, take, found))


class _RowTransfer:
    """Rows of these pks, which come chunk by chunk and in order.

    :param before: the note of swaps from the moment of the pks, or from before it
    """

    def __init__(self, schema: Schema, before: Any, pks: Sequence[bytes], take: Take) -> None:
        self._schema, self._take = schema, take
        self._before = self._after = before
        self._names, self._pks = pks, pks_of(schema, pks)
        self._count = 0
        self.taken: list[Any] = []
        self._gaps = False

    def batches(self, fields: tuple[bytes, ...]) -> Iterator[Batch]:
        """Commands for the rows, and for the note after the last."""
        names, start, size = self._names, 0, min(FIRST_CHUNK_ROWS, CHUNK_ROWS)
        keys = self._schema.keys
        while start < len(names):
            commands = get_rows(keys.data_prefix, names[start : start + size], fields)
            start += size
            if start >= len(names):
                commands.append(('GET', keys.swapped))
            yield Batch(commands)
            size = min(2 * size, CHUNK_ROWS)

    def rows(self, rows: list[Any]) -> None:
        """Take what has come."""
        if len(rows) > len(self._pks) - self._count:
            self._after = rows.pop()
        pks = self._pks[self._count : self._count + len(rows)]
        self._count += len(rows)
        self._gaps = self._gaps or _has_gaps(rows)
        self.taken += self._take(pks, rows)

    @property
    def replaced(self) -> bool:
        """Whether a reset replaced rows in place meanwhile."""
        return bool(self._before != self._after)

    @property
    def whole(self) -> bool:
        """Whether this is what there was in one moment."""
        return not (self._gaps or self.replaced)


def _listed_many(
    query: Query,
    expression: set_algebra.SetExpression,
    fields: tuple[bytes, ...],
    take: Take,
    found: Sequence[Any],
) -> Flow[list[Any]]:
    """Pks first, then rows in overlapping chunks.

    Asks anew where rows went away meanwhile, or where a reset replaced rows in place, so that
    what comes back is the data set before or after it.

    :param found: the pks and the note of swaps, if they are known
    """
    keys = query.schema.keys
    for _ in range(READ_ATTEMPTS):
        if found:
            pks, before, _ = found
        else:
            # The note first: a swap between the two then shows as a change.
            before, pks = yield Batch([('GET', keys.swapped), set_algebra.members(expression)])
        arriving = _RowTransfer(query.schema, before, pks, take)
        yield Stream(arriving.batches(fields), arriving.rows)
        if arriving.whole:
            break
        found = ()
    if arriving.replaced:
        # Resets come faster than rows: once, the server is held up for a whole answer.
        pks, rows = yield from ask(*find(query, expression, fields, UNLIMITED, UNLIMITED))
        return take(pks_of(query.schema, pks), rows)
    return arriving.taken


def find(
    query: Query,
    expression: set_algebra.SetExpression,
    fields: tuple[bytes, ...],
    members: int,
    rows: int,
) -> Command:
    """The script that answers in one trip what is not larger than this."""
    keys, every = set_algebra.operands(expression)
    own = query.schema.keys
    return FIND(keys, every, members, rows, own.data_prefix, own.swapped, *fields)


def with_filtered(query: Query, columns: Sequence[Column]) -> Sequence[Column]:
    """The columns, then those needed besides to see whether a row still matches.

    The first field of the model is always among them, so that a partial row of an object without
    any of the columns is not mistaken for a missing one.
    """
    if columns is query.schema.all:
        return columns
    needed = [query.schema.all[0], *(condition.column for condition in query.filters)]
    return list(dict.fromkeys([*columns, *needed]))


def drop_nonmatching(
    matcher: Matcher, pks: Sequence[int], rows: Sequence[Row]
) -> tuple[Sequence[int], Sequence[Row]]:
    """Leave out rows that are gone or do not match: other processes write meanwhile."""
    if _has_gaps(rows):
        there = [not _is_empty(row) for row in rows]
        pks, rows = list(compress(pks, there)), list(compress(rows, there))
    mask = matcher.mask(rows)
    return (pks, rows) if mask is None else (list(compress(pks, mask)), list(compress(rows, mask)))
