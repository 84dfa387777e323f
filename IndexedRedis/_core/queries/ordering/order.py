"""What a result is ordered by. Pure.

Rule: objects whose values are equal come in the order of their pks as text, as a sorted set lists
members of equal scores; in the opposite order if the first field is descending. So each result has
one order, and a page begins where the last one ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from ....errors import QueryError, UsageError
from ...column import Column
from ...mapping.decoder import Row
from ...mapping.schema import Schema
from ...text import near_miss, shorten

__all__ = (
    'BY_PK',
    'By',
    'Entry',
    'columns_of_order',
    'in_order',
    'keys_of',
    'parse_order',
    'rest_after',
)

PK = 'pk'


class By(NamedTuple):
    """One field of an order.

    :param column: the field; None: the pk, as a number
    """

    column: Column | None
    descending: bool = False
    nulls_first: bool = False

    def opposite(self) -> By:
        """Return the opposite order."""
        return By(self.column, not self.descending, not self.nulls_first)

    def __str__(self) -> str:
        name = PK if self.column is None else self.column.name
        return f'-{name}' if self.descending else name


# The order of a part of a result that was given none.
BY_PK = (By(None),)


class Entry(NamedTuple):
    """The place of one object.

    :param keys: for each field of the order, the order key of its value, None for null
    """

    pk: int
    keys: tuple[Any, ...]


def parse_order(schema: Schema, names: Iterable[Any], nulls: str) -> tuple[By, ...]:
    """Return the order of these names.

    :param names: names of fields, descending with ``-`` before it; ``pk`` is the primary key
    :param nulls: ``last`` or ``first``
    :raises QueryError: if a name is unknown, or values of its field have no order
    :raises UsageError: if ``nulls`` is something else
    """
    if nulls not in ('last', 'first'):
        raise UsageError(
            f"{schema.name}: orderBy(nulls={nulls!r}) is unknown; give 'last' or 'first'."
        )
    found: dict[Column | None, By] = {}
    for name in names:
        if not isinstance(name, str):
            raise UsageError(
                f'{schema.name}: orderBy() takes names of fields, and was given '
                f'{shorten(repr(name))}.'
            )
        text = str.__str__(name)
        column = _column(schema, text.removeprefix('-'))
        found.setdefault(column, By(column, text.startswith('-'), nulls == 'first'))
    return tuple(found.values())


def _column(schema: Schema, name: str) -> Column | None:
    column = schema.columns.get(name)
    if column is None:
        if name == PK:
            return None
        hint = near_miss(name, [*schema.columns, PK])
        raise QueryError(f'{schema.name} has no field {name!r} to order by.{hint}')
    if not column.field.canSort:
        raise QueryError(
            f'{column.label}: values of a {type(column.field).__name__} have no order. Order by '
            'another field, or sort the list: sorted(query.all(), key=...).'
        )
    return column


def columns_of_order(order: Sequence[By]) -> list[Column]:
    """Return the columns whose values decide the order."""
    return [by.column for by in order if by.column is not None]


def keys_of(order: Sequence[By], columns: Sequence[Column], pk: int, row: Row) -> tuple[Any, ...]:
    """Return the order keys of a row, which has these columns."""
    return tuple(
        pk if by.column is None else by.column.order_key(row[columns.index(by.column)])
        for by in order
    )


def in_order(entries: Iterable[Entry], order: Sequence[By]) -> list[Entry]:
    """Return entries in order. Sorting is stable, so it begins with what counts least."""
    found = sorted(entries, key=lambda each: str(each.pk), reverse=order[0].descending)
    for place in range(len(order) - 1, -1, -1):
        found = _by(found, place, order[place])
    return found


def rest_after(entries: Iterable[Entry], after: Entry, order: Sequence[By]) -> list[Entry]:
    """Return in order the entries behind a place, which one of them may have."""
    # Sorting is stable: what has the same place stands before it.
    found = in_order([*entries, after], order)
    return found[next(i for i, each in enumerate(found) if each is after) + 1 :]


def _by(entries: list[Entry], place: int, by: By) -> list[Entry]:
    nulls = [each for each in entries if each.keys[place] is None]
    others = [each for each in entries if each.keys[place] is not None] if nulls else entries
    others.sort(key=lambda each: each.keys[place], reverse=by.descending)
    return [*nulls, *others] if by.nulls_first else [*others, *nulls]
