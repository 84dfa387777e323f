"""Read a schema from the models of an application that uses SQLAlchemy."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ...errors import UsageError
from ...utils import near_miss
from .choosing import choice_of_model_type
from .reading import Column, ForeignKey, Table

__all__ = ('metadata_of', 'tables_of')


def metadata_of(target: str, named: Any) -> tuple[sa.MetaData, str]:
    """Return the metadata that an object holds, and Python code that leads to its tables.

    :param target: the name of the object, for messages
    :param named: a declarative base, or a ``MetaData``
    :raises UsageError: if it is something else, or has no tables
    """
    metadata = getattr(named, 'metadata', named)
    if not isinstance(metadata, sa.MetaData):
        raise UsageError(
            f'{target} is neither a declarative base nor a MetaData of SQLAlchemy, but a '
            f'{type(named).__name__}.'
        )
    if not metadata.tables:
        raise UsageError(f'{target} has no tables. Import the modules that define them there.')
    return metadata, '.tables' if metadata is named else '.metadata.tables'


def tables_of(metadata: sa.MetaData, names: Any = ()) -> list[Table]:
    """Return the tables of a ``MetaData``, by name.

    :param names: the tables to return; empty: all of them
    :raises UsageError: if there is no such table
    """
    for name in names:
        if name not in metadata.tables:
            hint = near_miss(name, metadata.tables)
            raise UsageError(f'The models have no table {name!r}.{hint}')
    return [
        _table(metadata.tables[name]) for name in dict.fromkeys(names) or sorted(metadata.tables)
    ]


def _table(table: sa.Table) -> Table:
    columns = [
        Column(each.name, choice_of_model_type(each.type), bool(each.nullable))
        for each in table.columns
    ]
    keys = [
        ForeignKey(
            tuple(each.column_keys),
            each.referred_table.key,
            tuple(element.column.name for element in each.elements),
        )
        for each in table.foreign_key_constraints
    ]
    indexed = {column.name for index in table.indexes for column in index.columns}
    indexed |= {each.name for each in table.columns if each.unique or each.index}
    for constraint in table.constraints:
        if isinstance(constraint, sa.UniqueConstraint):
            indexed |= {column.name for column in constraint.columns}
    return Table(
        table.key,
        tuple(columns),
        tuple(column.name for column in table.primary_key.columns),
        tuple(sorted(keys)),
        frozenset(indexed),
    )
