"""explain(): the commands of a query, and an estimate of its rows.

The commands come from the flow that fetches, which is given made-up replies of the estimated size.
The estimate reads at most a few thousand members.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..expressions.sets import SetExpression
from ..expressions.texts import text_of_tree
from ..expressions.tree import And, Atom, HasPk, InRange, InSets, Linked, atoms_of, literals_of
from ..flows import Batch, Command, Flow, Stream, ask, chunks
from ..keys import Keys
from ..mapping.index_keys import index_keys_of_values
from ..mapping.resp import PACKED, unpacked
from ..queries import fetch, linked, query, set_algebra
from ..queries.ordering.order import BY_PK
from ..queries.query import counted_together
from ..queries.ranges import is_exact, score_range
from ..queries.scripts import FIND, FIND_ANY
from ..queries.sources.base import FIND_MEMBERS, Source
from ..queries.sources.one import One, living
from ..script import readable
from . import explain_order
from .explanation import Explanation, FilterSeen, Part, Rows, SetSeen, Trip
from .hints import hints

__all__ = ('PK', 'explain', 'links_of', 'lookups', 'rehearse')

# Members that an estimate reads: as many as FIND does, so that it predicts with certainty which way
# a small query takes.
SAMPLED_MEMBERS = FIND_MEMBERS
# Sets whose sizes are read in one round trip.
SIZES_IN_TRIP = 250
# Parts of an "or" whose rows are estimated one by one; of more, the sizes of the sets give bounds.
ESTIMATED_PARTS = 20
PK = b'<pk>'


def lookups(link: Linked, pks: int) -> list[Trip]:
    """Return the trips that look up so many linked objects."""
    return rehearse(linked.targets(link), pks, pks, link.schema.keys)


def explain(
    query: query.Query,
    behind: bool = False,
    lookups: Callable[[Linked, int], list[Trip]] = lookups,
) -> Flow[Explanation]:
    """Return what reading this query would do.

    :param behind: begin behind a place; the commands are those of the beginning otherwise
    :param lookups: gives the trips that look up so many linked objects
    """
    if behind:
        query = query._replace(order=query.order or BY_PK)
    total = yield from ask('SCARD', query.schema.keys.all)
    links = links_of(query)
    explained = _tree if query.expressions is None or links else _plain
    explanation = yield from explained(query, total)
    if query.in_parts:
        explanation.order = explain_order.order_of(query, behind)
        explanation.way = yield from explain_order.way_of(query, explanation.rows, total)
        rows = explanation.rows.estimate
        flow = explain_order.read_nothing(query)
        explanation.trips = rehearse(flow, rows, rows, query.schema.keys)
        explanation.warnings += filter(None, [explain_order.too_many(query, explanation.rows)])
    for link, pks in links.items():
        explanation.lookups += lookups(link, pks)
    explanation.warnings += hints(query, explanation)
    return explanation


def links_of(query: query.Query) -> dict[Linked, int]:
    """Return the filters along links that were looked up, and how many pks each has."""
    atoms = (atom for node in query.filters for atom in atoms_of(node))
    return {
        atom.looked_up: len(atom.values)
        for atom in atoms
        if isinstance(atom, InSets) and atom.looked_up is not None
    }


def _plain(query: query.Query, total: int) -> Flow[Explanation]:
    parts = []
    for source in query.sources:
        assert isinstance(source, One)
        sizes = yield from _sizes([source.expression])
        rows = yield from _estimate(source.expression, sizes, total)
        seen = _sets_seen(source.expression, sizes)
        smallest = next(each.size for each in seen if each.drives)
        parts.append(Part(seen, rows, _trips(query, source, smallest, rows)))
    return Explanation(query.schema.name, total, _filters_seen(query), parts)


def _tree(query: query.Query, total: int) -> Flow[Explanation]:
    """Explain a query whose parts are answered together."""
    name, seen = query.schema.name, _filters_seen(query)
    groups = counted_together(query)
    expressions = [living(each) for group in groups or () for each in group]
    sizes = yield from _sizes(expressions)
    parts: list[Part] = []
    for expression in expressions:
        if len(expressions) <= ESTIMATED_PARTS:
            rows = yield from _estimate(expression, sizes, total)
        else:
            keys, every = set_algebra.operands(expression)
            rows = _bounds(sizes, keys, every, total)
        parts.append(Part(_sets_seen(expression, sizes), rows, ()))
    if groups is None:  # how many rows match is not known without reading them
        parts = [Part((), (yield from _rows_of_ranges(query, total)), ())]
    tree = text_of_tree(And(query.filters))
    explanation = Explanation(name, total, seen, parts, tree, ())
    smallest = sum(each.size for part in parts for each in part.sets if each.drives)
    explanation.trips = [
        trip
        for source in query.sources
        for trip in _trips(query, source, smallest, explanation.rows)
    ]
    return explanation


def _rows_of_ranges(query: query.Query, total: int) -> Flow[Rows]:
    """Estimate the rows of filters of which each may be a range: as if they were independent."""
    keys, high, share = query.schema.keys, total, 1.0
    for each in query.filters:
        count = total
        if isinstance(each, InRange):
            key, *bounds = score_range(keys, each)
            members, count = yield Batch([('ZCARD', key), ('ZCOUNT', key, *bounds)])
        elif isinstance(each, InSets):
            sets = index_keys_of_values(keys, each.column, each.values)
            sizes = yield Batch([('SCARD', key) for key in sets])
            count = sum(sizes)
        high, share = min(high, count), share * min(1, count / max(1, total))
        if len(query.filters) == 1 and isinstance(each, InRange) and is_exact(each):
            return Rows(count if members == total else 0, high, high)
    return Rows(0, high, min(high, round(total * share)))


def _trips(query: query.Query, source: Source, smallest: int, rows: Rows) -> list[Trip]:
    if query.in_parts:  # another flow reads it
        return []
    columns = fetch.with_filtered(query, query.schema.all)
    pks = [b'%d' % pk for pk in range(1, rows.estimate + 1)]
    flow = fetch.listed(query, _Rehearsed(source, pks), columns, lambda pks, rows, drawn: [])
    return rehearse(flow, smallest, rows.estimate, query.schema.keys)


class _Rehearsed(Source):
    """A source that gives made-up pks."""

    def __init__(self, source: Source, pks: list[bytes]) -> None:
        self._pks = pks
        self.key = source.key
        self.commands = source.commands  # type: ignore[method-assign]
        self.checks = source.checks  # type: ignore[method-assign]
        self.find = source.find  # type: ignore[method-assign]
        self.find_all = source.find_all  # type: ignore[method-assign]

    def members(self, replies: Sequence[Any]) -> list[bytes]:
        return self._pks


def _filters_seen(query: query.Query) -> list[FilterSeen]:
    return [
        _filter_seen(query.schema.keys, atom, negated)
        for each in query.filters
        for atom, negated in literals_of(each)
    ]


def _filter_seen(keys: Keys, atom: Atom, negated: bool) -> FilterSeen:
    lookup = 'ne' if negated else atom.lookup
    if isinstance(atom, HasPk):
        return FilterSeen('pk', lookup, tuple(b'%d' % pk for pk in atom.pks), ())
    if isinstance(atom, InRange):
        key, low, high = score_range(keys, atom)
        return FilterSeen(atom.column.name, atom.lookup, (low, high), (key,))
    names = tuple(index_keys_of_values(keys, atom.column, atom.values))
    return FilterSeen(atom.column.name, lookup, atom.values, names)


def _sizes(expressions: Sequence[SetExpression]) -> Flow[dict[bytes, int]]:
    keys = (key for each in expressions for key in set_algebra.operands(each)[0])
    sizes: dict[bytes, int] = {}
    for some in chunks(dict.fromkeys(keys), SIZES_IN_TRIP):
        replies = yield Batch([('SCARD', key) for key in some])
        sizes.update(zip(some, replies, strict=True))
    return sizes


def _driver(expression: SetExpression, sizes: Mapping[bytes, int]) -> bytes:
    """Return the set that the server starts from: the smallest required set."""
    keys, every = set_algebra.operands(expression)
    return min(keys[:every], key=lambda key: sizes[key])


def _sets_seen(expression: SetExpression, sizes: Mapping[bytes, int]) -> list[SetSeen]:
    keys, every = set_algebra.operands(expression)
    driver = _driver(expression, sizes)
    return [
        SetSeen(key, i < every, sizes[key], i < every and key == driver)
        for i, key in enumerate(keys)
    ]


def _estimate(expression: SetExpression, sizes: Mapping[bytes, int], total: int) -> Flow[Rows]:
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
                trips.append(_trip(step.commands, keys))
                reply = _replies(step.commands, smallest, rows)
            elif isinstance(step, Stream):
                trips += _rehearse_stream(step, smallest, rows, keys)
            step = flow.send(reply)
    except StopIteration:
        return trips


def _replies(commands: Sequence[Command], smallest: int, rows: int) -> list[Any]:
    """Return made-up replies; that of ``EXEC`` has those behind its ``MULTI``."""
    replies: list[Any] = []
    began = 0
    for command in commands:
        if command == ('EXEC',):
            replies.append(replies[began:])
            continue
        replies.append(_made_up(command, smallest, rows))
        if command == ('MULTI',):
            began = len(replies)
    return replies


def _rehearse_stream(stream: Stream, smallest: int, rows: int, keys: Keys) -> list[Trip]:
    sent: list[Command] = []
    count = 0
    for batch in filter(None, stream.batches):
        count += 1
        sent += batch.commands
        stream.consume([_made_up(each, smallest, rows) for each in batch.commands])
    return [_trip(sent, keys, count)] if count else []


def _trip(commands: Sequence[Command], keys: Keys, chunks: int = 0) -> Trip:
    """Return a trip, in which one command stands for those of all rows."""
    of_rows = [command for command in commands if command[0] is PACKED]
    others = [_readable(command) for command in commands if command[0] is not PACKED]
    if not of_rows:
        return Trip(others, chunks=chunks)
    name, _, *fields = unpacked(of_rows[0])
    row = (name, keys.data_prefix + PK, *fields)
    return Trip([row], len(of_rows), chunks, list(dict.fromkeys(others)))


def _readable(command: Command) -> Command:
    """Return a command as a person reads it, without made-up pks."""
    return (*command[:2], PK) if command[0] == 'SMISMEMBER' else readable(command)


def _made_up(command: Command, smallest: int, rows: int) -> Any:
    """Return the reply of a server that holds so many rows."""
    if command[0] == 'MGET':
        return [None] * len(command[1:])
    if command[0] is PACKED:
        return (b'',) * (len(unpacked(command)) - 2)
    if command[0] == 'SMISMEMBER':
        return [1] * (len(command) - 2)
    if walked := explain_order.made_up_walk(command, rows):
        return walked
    pks = [b'%d' % pk for pk in range(1, rows + 1)]
    if command[0] == 'EVALSHA' and command[1] in (FIND.sha, FIND_ANY.sha):
        _, most_members, most_rows, _, _, _, *fields = command[3 + command[2] :]
        if smallest > most_members:
            return []
        if rows > most_rows:
            return [pks, [None, None]]
        return [pks, [(b'',) * len(fields)] * rows, None]
    return pks
