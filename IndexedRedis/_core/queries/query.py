"""A query, its pks and its count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ...errors import InvalidPrimaryKeyError
from ..expressions.boxes import Box, TooManyBoxesError, boxes_of, disjoint
from ..expressions.matching import Matcher
from ..expressions.sets import SetExpression, plain_expressions, terms_of
from ..expressions.tree import And, InRange, Node, columns_of
from ..flows import Batch, Command, Flow, ask_quick
from ..mapping.schema import Schema
from ..text import shorten, shown, text_of
from . import set_algebra
from .by_pk import rows_of
from .ranges import is_exact, score_range
from .sources.base import Source, read_members
from .sources.choose import sources
from .sources.scripts import COUNT_RANGE

if TYPE_CHECKING:
    from .ordering.order import By

__all__ = (
    'WHOLE',
    'Query',
    'Window',
    'count',
    'counted_together',
    'groups_to_count',
    'pks_of',
    'primary_keys',
)


class Window(NamedTuple):
    """Which of the objects in order are wanted; ``limit=None``: all behind the skipped ones."""

    skip: int = 0
    limit: int | None = None


WHOLE = Window()


class Query(NamedTuple):
    """The filters of one query over a model, all of which have to hold, and its order."""

    schema: Schema
    filters: tuple[Node, ...] = ()
    order: tuple[By, ...] = ()
    window: Window = WHOLE

    @property
    def in_parts(self) -> bool:
        """Whether the objects have an order, or only some of them are wanted."""
        return bool(self.order) or self.window != WHOLE

    @property
    def expressions(self) -> list[SetExpression] | None:
        """The set expressions of plain filters, usually one; None if a filter is not plain."""
        return plain_expressions(self.schema.keys, self.filters)

    @property
    def sources(self) -> list[Source]:
        """Where its pks come from, without those of objects that are gone; usually one source."""
        return sources(self.schema.keys, self.filters)

    @property
    def boxes(self) -> list[Box]:
        """The normal form of the filters.

        :raises TooManyBoxesError: if it is too long
        """
        return boxes_of(And(self.filters))


def pks_of(schema: Schema, members: Sequence[bytes], key: bytes | None = None) -> list[int]:
    """Return the members of a set as pks.

    :param key: the set; None: the set of all pks
    :raises InvalidPrimaryKeyError: if a member is no number
    """
    try:
        return list(map(int, members))
    except ValueError:
        wrong = next(each for each in members if not each.isdigit() or len(each) > 16)
    raise InvalidPrimaryKeyError(
        f'{schema.name}: {shown(key or schema.keys.all)} lists {shorten(repr(text_of(wrong)))}, '
        f'which is no primary key. Call {schema.name}.objects.repair(), which removes it.'
    )


def primary_keys(
    query: Query, ordered: bool = False, excluding_dead: bool = True
) -> Flow[list[int]]:
    """Return the pks that match; ascending if ``ordered``.

    :param excluding_dead: leave out pks of deleted objects, which 6.0.3 could leave in index sets
    :raises InvalidPrimaryKeyError: if a member is no number
    """
    pks: list[int] = []
    for source in sources(query.schema.keys, query.filters, excluding_dead):
        members, _ = yield from read_members(source)
        pks += pks_of(query.schema, members, source.key)
    if not all(map(is_exact, query.filters)):
        pks = yield from _matching(query, pks)
    return sorted(pks) if ordered else pks


def _matching(query: Query, pks: list[int]) -> Flow[list[int]]:
    """Leave out pks whose stored values do not match, though their scores do."""
    columns = list(dict.fromkeys(columns_of(query.filters)))
    rows = yield from rows_of(query.schema, pks, columns)
    matcher = Matcher(query.filters, columns)
    there = [(pk, row) for pk, row in zip(pks, rows, strict=True) if row is not None]
    return [pk for pk, row in there if matcher.matches(pk, row)]


def count(query: Query) -> Flow[int]:
    """Return how many objects match. The server counts, unless that would take it too long."""
    wanted = query.filters[0] if len(query.filters) == 1 else None
    if isinstance(wanted, InRange) and is_exact(wanted):
        key, *bounds = score_range(query.schema.keys, wanted)
        size: int | None = yield from ask_quick(*COUNT_RANGE([key, query.schema.keys.all], *bounds))
        return len((yield from primary_keys(query))) if size is None else size
    groups = groups_to_count(query)
    if groups is None:
        return len((yield from primary_keys(query)))
    keys, total = query.schema.keys, 0
    for expressions, command in groups:
        if command[1] == keys.all:
            total += yield from ask_quick(*command)
            continue
        # A reset adds new pks to index sets before its swap, and removes old ones after it.
        recorded = ('EXISTS', keys.record)
        before, number, after = yield Batch([recorded, command, recorded], shared=True)
        if before or after:
            number = yield from ask_quick(*set_algebra.count_living(expressions, keys.touched))  # type: ignore[misc]
        total += number
    return total


def groups_to_count(query: Query) -> list[tuple[list[SetExpression], Command]] | None:
    """Return groups of set expressions, each with the command that counts it.

    None if it would take the server too long.
    """
    plain = query.expressions
    groups = counted_together(query) if plain is None else [[each] for each in plain]
    found: list[tuple[list[SetExpression], Command]] = []
    for group in groups or ():
        command = set_algebra.count(group)
        if command is None:
            return None
        found.append((group, command))
    return None if groups is None else found


def counted_together(query: Query) -> list[list[SetExpression]] | None:
    """Return set expressions that do not overlap, to be counted together; None: too many."""
    try:
        terms = terms_of(query.schema.keys, disjoint(query.boxes))
    except TooManyBoxesError:
        return None
    if terms is None or any(term.pks for term in terms):
        return None
    return [[term.sets for term in terms]] if terms else []
