"""Turn ``Q(artist='AC/DC') | Q(year__in=[...])`` into a tree of atoms of one model.

Rule for names: an exact field name wins, then a lookup, then a path along a link. ``pk`` is the
primary key, unless the model has a field of that name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...errors import QueryError
from ..column import Column
from ..text import near_miss
from .lookups import LOOKUPS, Lookup
from .q import Asked, Q
from .tree import And, Linked, Node, Not, Or

__all__ = ('parse',)

PK = 'pk'
# `artist__id` is the pk of a linked object, as the attribute of that name.
ID = 'id'


def parse(
    model_name: str,
    columns: Mapping[str, Column],
    conditions: Iterable[Q],
    lookups: Mapping[str, Any],
) -> tuple[Node, ...]:
    """Return the trees that conditions and keyword arguments state; all have to hold.

    :param model_name: name of the model, for messages
    :param columns: the columns of the model by name
    :param lookups: ``name=value`` and ``name__LOOKUP=value``
    :raises QueryError: if a name is unknown, not indexed, or the lookup is unknown
    :raises FieldValueError: if a field cannot hold a value
    """
    names = _Names(model_name, columns)
    nodes = [each for node in map(names.tree, conditions) for each in _conjuncts(node)]
    return (*nodes, *[names.atom(name, value) for name, value in lookups.items()])


class _Names:
    """What names mean for one model."""

    def __init__(self, model_name: str, columns: Mapping[str, Column], path: str = '') -> None:
        self._model, self._columns, self._path = model_name, columns, path

    def tree(self, part: Q | Asked) -> Node:
        if isinstance(part, Asked):
            return self.atom(part.name, part.value)
        if len(part._parts) == 1 and part._op != '~':
            return self.tree(part._parts[0])
        nodes = tuple(map(self.tree, part._parts))
        if part._op == '~':
            return Not(nodes[0])
        return And(nodes) if part._op == '&' else Or(nodes)

    def atom(self, key: str, value: Any) -> Node:
        name, suffix = self._split(key)
        if name == PK and PK not in self._columns:
            return self._lookup(key, PK, suffix, None).of_primary_key(value)
        column = self._columns.get(name)
        if column is None:
            raise QueryError(self._unknown(name))
        if column.is_link and suffix not in LOOKUPS and column.indexed:
            return self._along(column, key, suffix, value)
        if not (column.indexed or column.sorted):
            raise QueryError(self._not_indexed(column))
        return self._lookup(key, name, suffix, column).of_column(column, value)

    def _split(self, key: str) -> tuple[str, str]:
        """Return the field of a name, and what follows it: ``eq`` if nothing does."""
        if key in self._columns or key == PK:
            return key, 'eq'
        links = ((name, rest) for name, rest in _splits(key) if self._is_link(name))
        name, _, suffix = key.rpartition('__')
        if name in self._columns or name == PK:
            return name, suffix
        return next(links, (name or key, suffix))

    def _is_link(self, name: str) -> bool:
        return name in self._columns and self._columns[name].is_link

    def _lookup(self, key: str, name: str, suffix: str, column: Column | None) -> Lookup:
        """Return the lookup of a suffix.

        :param column: the field that is asked; None: the pk
        """
        found = LOOKUPS.get(suffix)
        if found is not None and found.serves(column):
            return found
        if column is not None and found is not None:
            if found.of_sorted:
                raise QueryError(self._not_sorted(column, key))
            raise QueryError(self._not_indexed(column))
        known = [each for each, has in LOOKUPS.items() if has.serves(column)]
        raise QueryError(
            f'{self._model}: unknown lookup {key!r}; the server answers {name} and '
            f'{", ".join(f"{name}__{each}" for each in known)}. Others, such as contains, work on '
            'the fetched list: .all().filter(...).'
        )

    def _along(self, column: Column, key: str, rest: str, value: Any) -> Node:
        """Return the tree of a name that follows a link: ``artist__name``."""
        if column.field.isMulti():
            raise QueryError(
                f'{column.label} links to a list, whose index sets are those of whole lists. '
                f'{key!r} cannot follow it. Filter by {column.name}=[...], or filter the fetched '
                'list.'
            )
        if self._path:
            raise QueryError(
                f'{self._path}__{key} follows two links, and a filter follows one. Get the pks of '
                f'{column.field.foreignModel.__name__} first, and pass them to {column.name}__in.'
            )
        schema = column.field.foreignModel._validated()
        name, _, suffix = rest.partition('__')
        if name == ID and ID in schema.columns:
            raise QueryError(
                f'{self._model}: {key!r} could mean the pk or the field {ID!r} of {schema.name}. '
                f'Write {column.name}__{PK} for the pk. For the field, get the pks of '
                f'{schema.name} first, and pass them to {column.name}__in.'
            )
        if name in (PK, ID) and name not in schema.columns:
            return self._lookup(key, column.name, suffix or 'eq', column).of_column(column, value)
        names = _Names(schema.name, schema.columns, column.name)
        return Linked(column, schema, names.atom(rest, value), key)

    def _unknown(self, name: str) -> str:
        hint = near_miss(name, [*self._columns, PK]) if name != '_id' else " Did you mean 'pk'?"
        return f'{self._model} has no field {name!r} to filter on.{hint}'

    def _not_indexed(self, column: Column) -> str:
        indexed = ', '.join(c.name for c in self._columns.values() if c.indexed) or 'none'
        return (
            f'{column.label} is not indexed, so it cannot be filtered on (indexed: {indexed}). Add '
            'indexed=True, or the name to INDEXED_FIELDS, and call objects.reindex(); or filter '
            'the fetched list.'
        )

    def _not_sorted(self, column: Column, key: str) -> str:
        return (
            f'{column.label} is not sorted, so the server cannot answer {key!r}. Add it to '
            'SORTED_FIELDS and call objects.reindex(), or filter the fetched list: '
            '.all().filter(...).'
        )


def _conjuncts(node: Node) -> Iterator[Node]:
    """Yield the parts of a tree that all have to hold."""
    if isinstance(node, And):
        for each in node.nodes:
            yield from _conjuncts(each)
    else:
        yield node


def _splits(key: str) -> Iterator[tuple[str, str]]:
    """Yield each way to split a name in two, the longest first part first."""
    at = key.rfind('__')
    while at > 0:
        yield key[:at], key[at + 2 :]
        at = key.rfind('__', 0, at)
