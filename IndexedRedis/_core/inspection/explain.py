"""explain(): the commands of a query, and an estimate of its rows.

The commands come from the flow that fetches, which is given made-up replies of the estimated size.
The estimate reads at most a few thousand members.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..flows import Batch, Command, Flow, Stream, ask, chunks
from ..keys import Keys
from ..mapping.index_keys import index_keys_of_values
from ..mapping.resp import PACKED, unpacked
from ..queries import fetch, query, set_algebra
from ..queries.filters import Filters
from ..queries.scripts import FIND
from ..script import readable
from .explanation import Explanation, FilterSeen, Part, Rows, SetSeen, Trip
from .hints import hints

__all__ = ('explain', 'rehearse')

# Members that an estimate reads: as many as FIND does, so that it predicts with certainty which way
# a small query takes.
SAMPLED_MEMBERS = fetch.FIND_MEMBERS
# Sets whose sizes are read in one round trip.
SIZES_IN_TRIP = 250
_PK = b'<pk>'


def explain(query: query.Query) -> Flow[Explanation]:
    """Return what :func:`fetch` of this query would do."""
    schema = query.schema
    columns = fetch.with_filtered(query, schema.all)
    total = yield from ask('SCARD', schema.keys.all)
    parts = []
    for expression in query.excluding_dead:
        sizes = yield from _sizes(expression)
        rows = yield from _estimate(expression, sizes, total)
        seen = _sets_seen(expression, sizes)
        smallest = next(each.size for each in seen if each.drives)
        flow = fetch.listed(query, expression, columns, lambda pks, rows: [])
        trips = rehearse(flow, smallest, rows.estimate, schema.keys)
        parts.append(Part(seen, rows, trips))
    explanation = Explanation(schema.name, total, _filters_seen(schema.keys, query.filters), parts)
    explanation.warnings += hints(query, explanation)
    return explanation


def _filters_seen(keys: Keys, filters: Filters) -> list[FilterSeen]:
    return [
        FilterSeen(
            column.name,
            lookup.suffix,
            wanted,
            tuple(index_keys_of_values(keys, column, wanted)),
        )
        for column, lookup, wanted in filters
    ]


def _sizes(expression: set_algebra.SetExpression) -> Flow[dict[bytes, int]]:
    keys, _ = set_algebra.operands(expression)
    sizes: dict[bytes, int] = {}
    for some in chunks(dict.fromkeys(keys), SIZES_IN_TRIP):
        replies = yield Batch([('SCARD', key) for key in some])
        sizes.update(zip(some, replies, strict=True))
    return sizes


def _driver(expression: set_algebra.SetExpression, sizes: Mapping[bytes, int]) -> bytes:
    """Return the set that the server starts from: the smallest required set."""
    keys, every = set_algebra.operands(expression)
    return min(keys[:every], key=lambda key: sizes[key])


def _sets_seen(expression: set_algebra.SetExpression, sizes: Mapping[bytes, int]) -> list[SetSeen]:
    keys, every = set_algebra.operands(expression)
    driver = _driver(expression, sizes)
    return [
        SetSeen(key, i < every, sizes[key], i < every and key == driver)
        for i, key in enumerate(keys)
    ]


def _estimate(
    expression: set_algebra.SetExpression, sizes: Mapping[bytes, int], total: int
) -> Flow[Rows]:
    """Estimate the number of members: exactly if that is cheap, else by bounds and a sample."""
    keys, every = set_algebra.operands(expression)
    driver = _driver(expression, sizes)
    size = sizes[driver]
    if len(keys) == 1 or not size:
        return Rows(size, size, size)
    rows = _bounds(sizes, keys, every, total)
    if size > SAMPLED_MEMBERS and rows.exact:
        return rows
    # Of a smaller set, this draws every member.
    drawn = yield from ask('SRANDMEMBER', driver, SAMPLED_MEMBERS)
    matching = len((yield from _matching(keys, every, driver, drawn)))
    if size <= SAMPLED_MEMBERS:
        return Rows(matching, matching, matching)
    guess = round(size * matching / max(1, len(drawn)))
    return rows._replace(estimate=min(rows.high, max(rows.low, guess)))


def _bounds(sizes: Mapping[bytes, int], keys: list[bytes], every: int, total: int) -> Rows:
    """Return the bounds that follow from the sizes, if every member is an object."""
    missing = sum(total - sizes[key] for key in set(keys[:every]))
    excluded = [sizes[key] for key in set(keys[every:])]
    high = min(sizes[key] for key in keys[:every])
    high = max(0, min(high, total - max(excluded, default=0)))
    low = min(high, max(0, total - missing - sum(excluded)))
    return Rows(low, high, (low + high) // 2)


def _matching(
    keys: list[bytes], every: int, driver: bytes, drawn: list[bytes]
) -> Flow[list[bytes]]:
    """Return the drawn members that are in every required set and in no excluded set."""
    for i, key in enumerate(keys):
        if key == driver and i < every:
            continue
        if not drawn:
            break
        inside = yield from ask('SMISMEMBER', key, *drawn)
        drawn = [pk for pk, is_in in zip(drawn, inside, strict=True) if bool(is_in) == (i < every)]
    return drawn


def rehearse(flow: Flow[Any], smallest: int, rows: int, keys: Keys) -> list[Trip]:
    """Run a flow against made-up replies; return what it sent.

    :param smallest: size of the set that the set algebra starts from
    :param rows: number of rows in the replies
    """
    trips: list[Trip] = []
    try:
        step = next(flow)
        while True:
            reply = None
            if isinstance(step, Batch):
                trips.append(Trip([readable(command) for command in step.commands]))
                reply = [_made_up(command, smallest, rows) for command in step.commands]
            elif isinstance(step, Stream):
                trips += _rehearse_stream(step, smallest, rows, keys)
            step = flow.send(reply)
    except StopIteration:
        return trips


def _rehearse_stream(stream: Stream, smallest: int, rows: int, keys: Keys) -> list[Trip]:
    sent: list[Command] = []
    count = 0
    name, fields = '', list[Any]()
    for batch in filter(None, stream.batches):
        if not count:
            name, _, *fields = unpacked(batch.commands[0])
        count += 1
        sent += batch.commands
        stream.consume(
            [
                (b'',) * len(fields) if each[0] is PACKED else _made_up(each, smallest, rows)
                for each in batch.commands
            ]
        )
    if not count:
        return []
    last = [command for command in sent if command[0] is not PACKED]
    return [Trip([(name, keys.data_prefix + _PK, *fields)], len(sent) - len(last), count, last)]


def _made_up(command: Command, smallest: int, rows: int) -> Any:
    """Return the reply of a server that holds so many rows."""
    if command[0] == 'GET':
        return None
    pks = [b'%d' % pk for pk in range(1, rows + 1)]
    if command[0] == 'EVALSHA' and command[1] == FIND.sha:
        _, most_members, most_rows, _, _, *fields = command[3 + command[2] :]
        if smallest > most_members:
            return []
        return [pks, None, 0] if rows > most_rows else [pks, [(b'',) * len(fields)] * rows]
    return pks
