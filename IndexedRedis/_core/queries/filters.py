"""Turn ``filter(artist='AC/DC', genre__ne='Rock')`` into conditions, and these into set algebra."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ...errors import QueryError
from ..column import Column
from ..keys import Keys
from ..mapping.index_keys import index_keys_of_values
from ..text import near_miss
from .lookups import LOOKUPS, Lookup
from .set_algebra import SetExpression

__all__ = (
    'Condition',
    'Filters',
    'joined',
    'parse',
)


class Condition(NamedTuple):
    """One comparison of a column with a value.

    ``wanted`` holds the index values that the value has: one, or several where 6.0.3 stored it in
    more than one form.
    """

    column: Column
    lookup: Lookup
    wanted: tuple[bytes, ...]


Filters = tuple[Condition, ...]


def parse(model_name: str, columns: Mapping[str, Column], given: Mapping[str, Any]) -> Filters:
    """Return the conditions that keyword arguments state.

    :param model_name: name of the model, for messages
    :param columns: the columns of the model by name
    :param given: ``name=value`` and ``name__ne=value``
    :raises QueryError: if a name is unknown, not indexed, or the lookup is unknown
    :raises FieldValueError: if a field cannot hold the value
    """
    return tuple(_condition(model_name, columns, key, value) for key, value in given.items())


def _condition(model_name: str, columns: Mapping[str, Column], key: str, value: Any) -> Condition:
    name, _, suffix = (key, '', '') if key in columns else key.rpartition('__')
    if not name:
        name, suffix = key, ''
    column = columns.get(name)
    if column is None:
        raise QueryError(
            f'{model_name} has no field {name!r} to filter on.{near_miss(name, list(columns))}'
        )
    if not column.indexed:
        indexed = ', '.join(c.name for c in columns.values() if c.indexed) or 'none'
        raise QueryError(
            f'{column.label} is not indexed, so it cannot be filtered on (indexed: {indexed}). Add '
            'it to INDEXED_FIELDS and call objects.reindex(), or filter the fetched list.'
        )
    lookup = LOOKUPS.get(suffix) if suffix or key == name else None
    if lookup is None:
        known = ', '.join(f'{name}__{suffix}' for suffix in LOOKUPS if suffix)
        raise QueryError(
            f'{model_name}: unknown lookup {key!r}; the server answers {name} and {known}. '
            'Others, such as gte or contains, work on the fetched list: .all().filter(...).'
        )
    return Condition(column, lookup, column.indexes_of_filter(value))


def joined(filters: Filters) -> Filters:
    """Merge duplicate conditions, so that the cost of thousands of them stays linear."""
    if len(filters) < 2:
        return filters
    values: dict[tuple[Column, Lookup], dict[bytes, None]] = {}
    others: dict[Condition, None] = {}
    for condition in filters:
        if condition.lookup.joins:
            merged = values.setdefault((condition.column, condition.lookup), {})
            merged.update(dict.fromkeys(condition.wanted))
        else:
            others[condition] = None
    return (*others, *(Condition(*what, tuple(wanted)) for what, wanted in values.items()))


def expressions(keys: Keys, filters: Filters) -> list[SetExpression]:
    """Return disjoint set expressions of ``filters``; their union is the result.

    There is one, or several where a value has several index values.
    """
    found = [SetExpression(keys.all)]
    for column, lookup, wanted in filters:
        index_keys = index_keys_of_values(keys, column, wanted)
        found = [more for each in found for more in lookup.restrict(each, index_keys)]
    return found
