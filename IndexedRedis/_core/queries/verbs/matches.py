"""Whether an object matches a query, and the one that does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....errors import MultipleObjectsError
from ...column import Column
from ...expressions.sets import SetExpression
from ...flows import Batch, Flow
from ...mapping.decoder import Row
from ...mapping.schema import Schema
from .. import set_algebra
from ..fetch import fetch
from ..query import WHOLE, Query, primary_keys
from ..read import count_part
from ..scripts import ANY
from ..sources.base import Source

__all__ = ('check_one', 'has_match', 'the_one')

# Members that ANY may look up: of two sets it blocks the server for a millisecond or two, of many
# for 3 ms (SCRIPT_LOOKUPS).
ANY_MEMBERS = 5000
# Set expressions that are tested one by one. The pks tell it for more.
MOST_SCRIPTS = 100


def has_match(query: Query) -> Flow[bool]:
    """Return whether an object is among those that the query names."""
    if not query.filters or query.window != WHOLE:
        return (yield from count_part(query)) > 0
    expressions = _expressions(query.sources)
    if expressions:
        replies = yield Batch([_any(each) for each in expressions], shared=True)
        if 1 in replies or None not in replies:
            return 1 in replies
    return bool((yield from primary_keys(query)))


def _expressions(sources: Sequence[Source]) -> list[SetExpression] | None:
    """Return the set expressions that a few short scripts can test; None if there are others."""
    found: list[SetExpression] = []
    for source in sources:
        found += source.expressions or ()
        if source.expressions is None or len(found) > MOST_SCRIPTS:
            return None
    return found if all(map(set_algebra.is_short, found)) else None


def _any(expression: SetExpression) -> tuple[Any, ...]:
    keys, every = set_algebra.operands(expression)
    return ANY(keys, every, set_algebra.member_limit(expression, ANY_MEMBERS))


def the_one(query: Query, columns: Sequence[Column]) -> Flow[Any]:
    """Return the object that matches, with these columns; None if there is none.

    It stops reading rows once two of them match.

    :raises MultipleObjectsError: if several objects match
    """
    objects = query.schema.builder(columns).objects

    def build(pks: Sequence[int], rows: Sequence[Row], drawn: bytes, memos: list[Any]) -> list[Any]:
        check_one(query.schema, pks)
        return objects(pks, rows, drawn, memos)

    found = yield from fetch(query, columns, build=build)
    check_one(query.schema, [obj._id for obj in found])
    return found[0] if found else None


def check_one(schema: Schema, pks: Sequence[int]) -> None:
    """Refuse several pks.

    :raises MultipleObjectsError: if there are several
    """
    if len(pks) > 1:
        raise MultipleObjectsError(
            f'{schema.name}: get() found several objects, such as those with the pks '
            f'{pks[0]} and {pks[1]}. Add a filter, or call first() or all().'
        )
