"""The keys of one select: how its rows are restricted to some, and which objects they have.

The rule: a key is what SQL has; fields convert it before it is looked up in Redis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, TextClause, any_, column, literal, select, tuple_
from sqlalchemy.types import NullType

from ...errors import FieldValueError
from ...managers.stored_pks import pks_of_keys
from ..conversions import FieldEncoder
from ..keys.joins import Join
from ..keys.reading import key_in
from ..layout import Layout
from ..order import target_of
from ..source import Source

__all__ = ('KeyedSource', 'columns_of', 'keyed', 'named_rows')

# Returns the stored pk of each key.
FindPks = Callable[[Source, Sequence[Any]], 'list[int | None]']


class Linking(NamedTuple):
    """A select whose rows link to objects, and the names of its columns."""

    statement: Any
    columns: Sequence[str]
    own: Sequence[str]
    target: Sequence[str]
    arrays: bool

    def keys_to(self, keys: Sequence[Any]) -> Any:
        """Return a select of the keys of the rows that link to some keys."""
        rows = _with_keys(self.statement, self.columns, self.target, keys, self.arrays)
        rows = rows.subquery()
        by_name = dict(zip(self.columns, rows.c, strict=True))
        return select(*(by_name[name] for name in self.own)).distinct()


class KeyedSource:
    """A select, and what is known of its columns.

    :param layout: what the columns mean
    :param columns: their names
    :param joins: the joins that feed multi links, by field name, with the names of their columns
    :param arrays: whether the database takes arrays
    """

    def __init__(
        self,
        source: Source,
        layout: Layout,
        columns: Sequence[str],
        joins: dict[str, tuple[Join, Sequence[str]]],
        arrays: bool,
    ) -> None:
        self.source, self.columns, self._arrays = source, columns, arrays
        self.key_columns = [columns[number] for number in layout.key]
        schema = source.model._validated()
        encoders = {
            field: FieldEncoder(schema.columns[field], adapt) for _, field, adapt in layout.feeds
        }
        self._encoders, self._joins = encoders, joins
        self.links = layout.links
        #: for each link to a mirrored model a select of the rows that have it, the names of its
        #: columns, and those of the key and of the link
        self.linking = {
            link.field: self._linking(link.field, layout.columns_of(link.field))
            for link in layout.links
            if link.target is not None
        }
        #: the links whose target may come or go alone, and these targets; see `dependents`
        self.uncertain: Sequence[tuple[str, Source]] = ()

    def _linking(self, name: str, names: Sequence[str]) -> Linking:
        if name not in self._joins:
            return Linking(
                self.source.statement, self.columns, self.key_columns, names, self._arrays
            )
        join, columns = self._joins[name]
        width = self.source.key_width
        return Linking(join.statement, columns, columns[:width], columns[width:], self._arrays)

    def restrict(self, source: Source, keys: Iterable[Any]) -> None:
        """Have a copy of the select give the rows with some keys only."""
        wanted = [*keys]
        statement, arrays = self.source.statement, self._arrays
        source.statement = _with_keys(statement, self.columns, self.key_columns, wanted, arrays)
        width = self.source.key_width
        source.joins = {
            name: _with_keys(join.statement, columns, columns[:width], wanted, arrays)
            for name, (join, columns) in self._joins.items()
        }

    def existing(self, connection: Any, keys: Sequence[Any]) -> set[Any]:
        """Return those of some keys that the select has a row for."""
        names = self.key_columns
        own = Linking(self.source.statement, self.columns, names, names, self._arrays)
        return {*map(key_in, connection.execute(own.keys_to(keys)))}

    def all_keys(self, snapshot: Any) -> list[Any]:
        """Return the keys of all rows."""
        _, by_name = named_rows(self.source.statement, self.columns)
        found = select(*(by_name[name] for name in self.key_columns))
        keys: list[Any] = []
        for _, rows in snapshot.chunks(self.source.name, found):
            keys += (key_in(row) for row in rows if None not in row)
        snapshot.close()
        return keys

    def pks(self, keys: Sequence[Any], find: FindPks) -> list[int | None]:
        """Return the pk of the stored object with each key; None if there is none.

        :param find: finds those of other models, where a link is a part of the key
        """
        values = [self.values(key, find) for key in keys]
        known = [each for each in values if each is not None]
        pks = iter(pks_of_keys(self.source.model, self.source.key_fields, known) if known else ())
        return [None if each is None else next(pks) for each in values]

    def values(self, key: Any, find: FindPks) -> Any:
        """Return a key as the fields have it; None if it leads to no object, as no key does that
        the fields cannot hold.
        """
        with suppress(FieldValueError):
            return self._values(key, find)
        return None

    def _values(self, key: Any, find: FindPks) -> Any:
        parts = list(key) if isinstance(key, tuple) else [key]
        values = []
        for name in self.source.key_fields:
            if name in self._encoders:
                values.append(self._encoders[name].value_of(parts.pop(0)))
                continue
            width = len(self.source.link_columns.get(name, (name,)))
            linked, parts = parts[:width], parts[width:]
            (link,) = [each for each in self.links if each.field == name]
            pk = linked[0]
            if link.target is not None:
                (pk,) = find(link.target, [key_in(linked)])
            if pk is None:
                return None
            values.append(pk)
        return key_in(values)


def keyed(source: Source, sources: Sequence[Source], snapshot: Any, rule: str) -> KeyedSource:
    """Return a select with its columns.

    :param snapshot: names the columns
    :param rule: what becomes of dates with zeros
    """
    columns = columns_of(snapshot, source.name, source.statement)
    joins: dict[str, tuple[Join, Sequence[str]]] = {}
    for name in source.joins:
        join = Join(source, name, target_of(sources, source.links[name]))
        joins[name] = join, columns_of(snapshot, join.label, join.statement)
    layout = Layout(source, columns, sources, zero_dates=rule)
    arrays = snapshot.connection.dialect.name == 'postgresql'
    return KeyedSource(source, layout, columns, joins, arrays)


def columns_of(snapshot: Any, name: str, statement: Any) -> list[str]:
    """Return the names of the columns of a select.

    :param name: of what it feeds, for messages
    """
    found: list[str] | None = snapshot.column_names(statement)
    if found is None:
        found, _ = next(snapshot.chunks(name, statement))  # raises what the database says of it
        snapshot.close()
    return found


def _with_keys(
    statement: Any,
    columns: Sequence[str],
    names: Sequence[str],
    keys: Sequence[Any],
    arrays: bool,
) -> Any:
    """Return a select of the rows that have one of some keys in their columns of these names.

    :param arrays: whether the database takes arrays
    """
    rows, by_name = named_rows(statement, columns)
    parts = [by_name[name] for name in names]
    if len(parts) > 1:
        return select(rows).where(tuple_(*parts).in_(keys))
    kind = parts[0].type
    if arrays and not isinstance(kind, NullType):
        # One parameter, whatever the number of keys: the statement is prepared once, and 20,000
        # keys take a quarter of the time.
        return select(rows).where(parts[0] == any_(literal([*keys], ARRAY(kind))))
    return select(rows).where(parts[0].in_(keys))


def named_rows(statement: Any, columns: Sequence[str]) -> tuple[Any, dict[str, Any]]:
    """Return a select as a subquery, and its columns by name.

    :param columns: the names of all its columns
    """
    if isinstance(statement, TextClause):
        statement = statement.columns(*map(column, columns))
    rows = statement.subquery()
    return rows, dict(zip(columns, rows.c, strict=True))
