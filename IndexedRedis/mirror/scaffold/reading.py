"""Read a schema: tables, columns, keys, foreign keys and indexes. SQLAlchemy's inspector reads."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine.reflection import Inspector

from ...errors import UsageError
from ...utils import near_miss
from .choosing import Choice, choice_of_sql_type

__all__ = ('Column', 'ForeignKey', 'Table', 'read_tables')


class Column(NamedTuple):
    """A column of a table."""

    name: str
    choice: Choice
    nullable: bool


class ForeignKey(NamedTuple):
    """Columns that hold the values of columns of another table."""

    columns: tuple[str, ...]
    table: str
    targets: tuple[str, ...]


class Table(NamedTuple):
    """A table, or a view.

    :param name: with its schema, if one was given: ``sales.product``
    :param key: the columns that identify a row; empty if none do
    :param indexed: the columns that an index or a unique constraint has
    :param empty: whether it has no rows now
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    indexed: frozenset[str] = frozenset()
    empty: bool = False


def read_tables(connection: sa.Connection, names: Sequence[str] = ()) -> list[Table]:
    """Return the tables of a database, by name.

    :param names: the tables and views to read, with a schema if it is not the default one:
        ``sales.product``; empty: all tables
    :raises UsageError: if there is no such table
    """
    inspector = sa.inspect(connection)
    chosen = dict.fromkeys(names) or sorted(inspector.get_table_names())
    with warnings.catch_warnings(record=True) as caught:  # of types and indexes it does not know
        warnings.simplefilter('always')
        tables = [_read(connection, inspector, name, caught) for name in chosen]
    if not tables:
        raise UsageError('The database has no tables. --table names views, or tables of a schema.')
    return tables


def _read(connection: sa.Connection, inspector: Inspector, full_name: str, caught: Any) -> Table:
    schema, name = _split(inspector, full_name)
    caught.clear()
    columns = inspector.get_columns(name, schema)
    declared = {**_unknown_types(caught), **_declared(connection, name, schema)}
    dialect = connection.dialect
    made = [
        Column(
            each['name'],
            choice_of_sql_type(each['type'], dialect, declared.get(each['name'], '')),
            bool(each['nullable']),
        )
        for each in columns
    ]
    indexes: list[Any] = [*inspector.get_unique_constraints(name, schema)]
    unique = [each['column_names'] for each in indexes]
    for index in inspector.get_indexes(name, schema):
        indexes.append(index)
        partial = any('where' in option for option in index.get('dialect_options', ()))
        if index['unique'] and not partial:
            unique.append(index['column_names'])
    indexed = {column for index in indexes for column in index['column_names'] if column}
    some: Any = (
        sa.select(sa.literal_column('1')).select_from(sa.table(name, schema=schema)).limit(1)
    )
    return Table(
        full_name,
        tuple(made),
        _key(inspector.get_pk_constraint(name, schema)['constrained_columns'], unique, made),
        tuple(_foreign_keys(inspector, name, schema)),
        frozenset(indexed),
        connection.execute(some).first() is None,
    )


def _split(inspector: Inspector, full_name: str) -> tuple[str | None, str]:
    """Return the schema and the name of a table.

    :raises UsageError: if there is no such table
    """
    schema, _, name = full_name.rpartition('.')
    for place, each in ((None, full_name), (schema, name)):
        if each and (place is None or place in inspector.get_schema_names()):
            known = [*inspector.get_table_names(place), *inspector.get_view_names(place)]
            if each in known:
                return place, each
    raise UsageError(f'There is no table {full_name!r}.{near_miss(full_name, known)}')


def _foreign_keys(inspector: Inspector, name: str, schema: str | None) -> Iterator[ForeignKey]:
    for each in inspector.get_foreign_keys(name, schema):
        place = each['referred_schema']
        target = f'{place}.{each["referred_table"]}' if place else each['referred_table']
        yield ForeignKey(
            tuple(each['constrained_columns']), target, tuple(each['referred_columns'])
        )


def _key(
    primary: Sequence[str], unique: Iterable[Sequence[Any]], columns: Sequence[Column]
) -> tuple[str, ...]:
    """Return the primary key, else the first unique columns that are never null."""
    never_null = {column.name for column in columns if not column.nullable}
    fitting = [names for names in unique if names and never_null.issuperset(names)]
    return tuple(primary or next(iter(fitting), ()))


def _unknown_types(caught: Iterable[Any]) -> dict[str, str]:
    """Return the types by column that SQLAlchemy warned about: it does not know them."""
    messages = [str(each.message) for each in caught]
    found = [re.search(r"recognize type '(.+)' of column '(.+)'", each) for each in messages]
    return {match[2]: match[1].lower() for match in found if match}


# What the inspector does not give: the types of SQLite as they were written, and which columns of
# MariaDB are JSON: it stores text, and a check of its own.
_DECLARED = {
    'sqlite': 'SELECT name, lower(type) FROM pragma_table_xinfo(:table, coalesce(:schema, :main))',
    'mariadb': "SELECT constraint_name, 'json' FROM information_schema.check_constraints "
    'WHERE constraint_schema = coalesce(:schema, database()) AND table_name = :table '
    "AND check_clause = concat('json_valid(`', constraint_name, '`)')",
}


def _declared(connection: sa.Connection, table: str, schema: str | None) -> dict[str, str]:
    dialect: Any = connection.dialect
    name = 'mariadb' if getattr(dialect, 'is_mariadb', False) else dialect.name
    if name not in _DECLARED:
        return {}
    values = {'table': table, 'schema': schema, 'main': 'main'}
    query = sa.text(_DECLARED[name])
    used = {key: value for key, value in values.items() if f':{key}' in query.text}
    return {row[0]: row[1] for row in connection.execute(query, used)}
