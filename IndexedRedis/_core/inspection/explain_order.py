"""explain() of a query that has an order, or names a part of its result.

The commands come from the flow that reads, as those of other queries do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...errors import QueryError
from ..flows import Batch, Flow
from ..queries.ordering.clauses import clauses_of
from ..queries.ordering.order import BY_PK
from ..queries.ordering.part import MOST_UNSORTED, read_part
from ..queries.ordering.plan import MATCH_US, SMALL_SET, WALK_US, Plan, plan_of
from ..queries.ordering.scripts import WALK
from ..queries.query import WHOLE, Query
from ..text import shown
from .explanation import Rows

__all__ = ('made_up_walk', 'order_of', 'read_nothing', 'too_many', 'way_of')


def order_of(query: Query, behind: bool = False) -> str:
    """Return the order and the part of a query as text.

    :param behind: whether it begins behind a place
    """
    order = query.order or BY_PK
    text = ', '.join(map(str, order))
    if order[0].column is not None:
        text += f', nulls {"first" if order[0].nulls_first else "last"}'
    skip, limit = query.window
    if behind:
        text += '; behind a place'
    if query.window == WHOLE:
        return text
    return f'{text}; objects {skip:,} to {"the last" if limit is None else f"{skip + limit:,}"}'


def read_nothing(query: Query) -> Flow[list[Any]]:
    """Read the part of the result, and make nothing of the rows."""
    try:
        return (yield from read_part(query, build=lambda pks, rows, drawn, memos: [])).objs
    except QueryError:  # too many match, of which :func:`too_many` warns
        return []


def way_of(query: Query, rows: Rows, total: int) -> Flow[str]:
    """Return how the order comes about, in a sentence.

    :param rows: how many objects match
    """
    query = query._replace(order=query.order or BY_PK)
    plan = plan_of(query)
    if plan is None:
        return _way_by_values(query)
    small = yield from _smallest_set(plan)
    if plan.clauses is None:
        return f'all pks that match, and their scores, since {_reason(query)}'
    tests = len(plan.clauses.sets) + len(plan.clauses.ranges)
    each = f'{tests:,} set' + ('' if tests == 1 else 's')
    if small is not None and _is_gathered(query, small[1], total):
        rest = '' if tests == 1 else f'; {tests:,} sets are looked up for each'
        return f'the {small[1]:,} members of {shown(small[0])}, sorted by their scores{rest}'
    way = f'a walk {"down" if plan.by.descending else "up"} {shown(plan.key)}'
    if not tests:
        return f'{way}, where every member matches'
    return f'{way}; {each} looked up for each member{_steps(query, rows, total, tests)}'


def _is_gathered(query: Query, members: int, total: int) -> bool:
    """Return whether WALK gathers the members of a set, since it would not meet them sooner."""
    skip, limit = query.window
    need = skip + (total if limit is None else limit)
    return members <= SMALL_SET and members**2 <= need * total


def _steps(query: Query, rows: Rows, total: int, tests: int) -> str:
    """Return how many members are met, if the matches are spread evenly."""
    skip, limit = query.window
    wanted = rows.estimate if limit is None else min(skip + limit, rows.estimate)
    met = total if wanted >= rows.estimate else round(total * wanted / rows.estimate)
    steps = -int(-(met * (tests + 1) + wanted * MATCH_US) // WALK_US)
    return f', about {met:,} members in {max(1, steps):,} step{"" if steps <= 1 else "s"}'


def _smallest_set(plan: Plan) -> Flow[tuple[bytes, int] | None]:
    """Return the smallest set of a clause that needs to be one of its members, and its size."""
    keys = [
        clause[0].sets[0]
        for clause in (plan.clauses.clauses if plan.clauses else ())
        if len(clause) == 1 and clause[0].inside and len(clause[0].sets) == 1
    ]
    if not keys:
        return None
    sizes = yield Batch([('SCARD', key) for key in keys])
    return min(zip(keys, sizes, strict=True), key=lambda each: each[1])


def _way_by_values(query: Query) -> str:
    columns = [by.column for by in query.order if by.column is not None]
    if not columns:
        return 'all pks that match, in order; then the rows of the part'
    names = ', '.join(column.name for column in columns)
    return f'all pks that match, and their values of {names}, since {_reason(query)}'


def _reason(query: Query) -> str:
    """Return why no walk along a sorted set gives the order."""
    column = query.order[0].column
    if column is None:
        return 'the pk comes first in the order'
    if not column.sorted:
        return f'{column.name} is not in SORTED_FIELDS'
    if clauses_of(query.schema.keys, query.filters) is None:
        return 'a walk cannot test these filters'
    return 'values at the end of a range of another field share their score'


def too_many(query: Query, rows: Rows) -> str:
    """Return a warning if more objects may match than an order without a sorted set takes."""
    column = next((by.column for by in query.order if by.column is not None), None)
    if column is None or column.sorted or rows.high <= MOST_UNSORTED or plan_of(query) is not None:
        return ''
    return (
        f'{column.name} is not in SORTED_FIELDS: if more than {MOST_UNSORTED:,} objects match, '
        'the query raises a QueryError.'
    )


def made_up_walk(command: Sequence[Any], rows: int) -> list[Any] | None:
    """Return the reply of WALK of a server where so many rows match; None for another command."""
    if command[:2] != ('EVALSHA', WALK.sha):
        return None
    arguments = command[3 + command[2] :]
    _, _, skip, wanted, *_ = arguments
    count = max(0, min(wanted, rows - skip))
    pks = [b'%d' % pk for pk in range(1, count + 1)]
    names = (isinstance(each, bytes) and each.endswith(b':data:') for each in arguments)
    prefix = [*names].index(True)
    fields, values = len(arguments) - prefix - 1, arguments[prefix - 1]
    # The flow drops such rows, and sends nothing more if there are any.
    rows_of_all = [(None,) * fields] * count if count * fields <= values else []
    # No two scores are equal, so no values have to be read for their order.
    return [[None, None], 0, pks, pks, rows_of_all, None, 1, [0, 0], []]
