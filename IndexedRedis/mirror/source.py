"""A source: the select of one model, and what its columns mean.

The rule: whatever needs no database is checked here, when the mirror is defined.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, cast

from sqlalchemy import Boolean, Table, TextClause, select, text
from sqlalchemy.sql import Executable, FromClause, Select

from .. import IRForeignLinkFieldBase, isIndexedRedisModel
from ..errors import UsageError
from ..fields import IRDatetimeValue
from ..utils import near_miss

__all__ = ('Source', 'alike')

# A colon that SQLAlchemy would read: with or without $ in names, as its versions differ.
_COLON = re.compile(r'(?<![:\w]):(?=[\w$]*(?![:\w$])|\w*(?![:\w]))')
EMPTY: Mapping[str, Any] = MappingProxyType({})


class Source:
    """The select of one model.

    :param model: the model
    :param statement: a select, a table, or SQL text
    :param columns: field name by column name, where they differ; None: the column is left out. A
        tuple of columns feeds a link to a model with a composite key.
    :param key: the fields, or the columns, that identify a row; one, or several of them
    :param defaults: names of fields that no column feeds
    :param epochs: names of datetime fields whose numbers are seconds since 1970 in UTC
    :param joins: the select of a join table for each multi link that has one
    :param fold: whether keys that differ in case or spaces at the end are equal
    :param watermark: the column whose values grow with each change
    :param tombstone: the column that is not null in a row that counts as deleted
    :param overlap: by how much a watermark may be below an earlier one; None: the default
    :param quoted: spells the name of a column for the database
    :raises UsageError: if these contradict each other, with all contradictions
    """

    def __init__(
        self,
        model: Any,
        statement: Any,
        columns: Mapping[Any, str | None],
        key: Any,
        defaults: Iterable[str],
        epochs: Iterable[str] = (),
        joins: Mapping[str, Any] = EMPTY,
        fold: bool = False,
        watermark: str | None = None,
        tombstone: str | None = None,
        overlap: Any = None,
        quoted: Callable[[str], str] = str,
    ) -> None:
        if not (isinstance(model, type) and isIndexedRedisModel(model)):
            raise UsageError(f'A mirror takes models and their selects; {model!r} is no model.')
        self.model: Any = cast(Any, model)
        self.model.validateModel()
        self.name: str = model.__name__
        self.fields: dict[str, Any] = {field.name: field for field in self.model.FIELDS}
        self.statement = _executable(self.name, statement)
        self.columns = {
            name: field for name, field in columns.items() if not isinstance(name, tuple)
        }
        #: the columns of links whose key is composite, by field name
        self.link_columns = {
            str(field): tuple(names) for names, field in columns.items() if isinstance(names, tuple)
        }
        self.joins = {
            name: _executable(f'{self.name}.{name}', each) for name, each in joins.items()
        }
        self.defaults, self.epochs, self.fold = {*defaults}, {*epochs}, fold
        #: the fields or columns that identify a row; empty if none do
        self.key = _names(self.name, key) or primary_key(self.statement)
        self.watermark, self.tombstone, self.overlap = watermark, tombstone, overlap
        #: the select with the rows that count as deleted
        self.every_row = self.statement
        if tombstone is not None:
            self.statement = without_deleted(self.name, self.statement, tombstone, quoted)
        for name in filter(None, (watermark, tombstone)):
            if not alike(name, self.fields) and not alike(name, self.columns):
                self.columns[name] = None
        #: the target models of link fields, by field name
        self.links = {
            name: field.foreignModel
            for name, field in self.fields.items()
            if isinstance(field, IRForeignLinkFieldBase)
        }
        problems = [*self._problems()]
        if problems:
            raise UsageError('\n'.join(problems))

    def _problems(self) -> Iterator[str]:
        """Yield what is wrong, a sentence each."""
        fields = (*self.columns.values(), *self.link_columns, *self.defaults, *self.epochs)
        for name in (*self.columns, *fields):
            if not isinstance(name, str | None):
                yield (
                    f'{self.name}: columns, defaults and epochs name columns and fields, each by '
                    f'a text; given was {name!r}. Write columns={{{self.name}: {{"column": '
                    f'"field"}}}}.'
                )
        for name in (*fields, *self.joins):
            if isinstance(name, str) and name not in self.fields:
                yield f'{self.name} has no field {name!r}.{near_miss(name, self.fields)}'
        for name in (*self.link_columns, *self.joins):
            if name not in self.fields:
                continue
            multi = name in self.links and self.fields[name].isMulti()
            if name in self.link_columns and (name not in self.links or multi):
                yield f'{self.name}.{name}: a tuple of columns feeds a link to one object only.'
            if name in self.joins and not multi:
                yield f'{self.name}.{name} is no multi link; links= feeds multi links.'
        for name in self.epochs & self.fields.keys():
            if self.fields[name].valueType is not IRDatetimeValue:
                yield f'{self.name}.{name}: epochs names it, but it holds no datetimes.'
        if self.joins and not self.key:
            yield (
                f'{self.name}: links= of a multi link needs keys={{{self.name}: ...}}, which names '
                'the field or column that the join table refers to.'
            )

    @property
    def shown_key(self) -> str:
        """The key, for messages."""
        return ', '.join(self.key)

    @property
    def key_width(self) -> int:
        """How many columns the key has."""
        return sum(len(self.link_columns.get(name, (name,))) for name in self.key)

    @property
    def key_fields(self) -> tuple[str, ...]:
        """The fields that the key feeds; empty if it feeds none, or a part of it does not."""
        names = [self._key_field(name) for name in self.key]
        return tuple(name for name in names if name) if all(names) else ()

    def _key_field(self, key: str) -> str | None:
        mapped: str | None = key
        for column in (key, *alike(key, self.columns)):
            if column in self.columns:
                mapped = self.columns[column]
                break
        names = [mapped] if mapped in self.fields else alike(str(mapped), self.fields)
        return names[0] if len(names) == 1 else None

    def named(self, what: str, name: str | None, columns: Sequence[str]) -> str:
        """Return the column of the select that a name means.

        :param what: the parameter that names it
        :param columns: all of them
        :raises UsageError: if there is none
        """
        for known in (name, *alike(str(name), columns)):
            if known in columns:
                return str(known)
        raise UsageError(
            f'{self.name}: {what}= names {name!r}, which the select does not have.'
            f'{near_miss(str(name), columns)}'
        )

    def type_of(self, column: int, width: int) -> Any:
        """Return the SQLAlchemy type of a column; None for SQL text, which has none.

        :param width: how many columns the database returns
        """
        selected = list(getattr(self.statement, 'selected_columns', ()))
        return selected[column].type if len(selected) == width else None

    def check_diff(self) -> None:
        """Check that ``mode='diff'`` can find stored objects by the key.

        :raises UsageError: if a part of the key is no indexed field
        """
        names = self.key_fields
        fields = self.model._validated().indexed_names
        if not names or not {*names} <= {*fields}:
            indexed = ', '.join(fields) or 'none'
            given = self.shown_key if self.key else None
            raise UsageError(
                f"{self.name}: mode='diff', changed= and follow() need keys={{{self.name}: ...}} "
                f'to name indexed fields that columns feed, not {given!r} (indexed: {indexed}).'
            )


def alike(name: str, names: Iterable[str]) -> list[str]:
    """Return the names that equal this one but for upper and lower case."""
    return [each for each in names if each.casefold() == name.casefold()]


def primary_key(statement: Any) -> tuple[str, ...]:
    """Return the primary key columns of a select from one table; empty if they are not selected."""
    froms = statement.get_final_froms() if isinstance(statement, Select) else []
    if len(froms) != 1 or not isinstance(froms[0], Table):
        return ()
    selected = [
        [column.name for column in statement.selected_columns if column.shares_lineage(key)]
        for key in froms[0].primary_key
    ]
    return tuple(names[0] for names in selected) if {*map(len, selected)} == {1} else ()


def _names(model: str, key: Any) -> tuple[str, ...]:
    """Return the names in a key as it was given: one, several, or None for none."""
    names = (key,) if isinstance(key, str) else () if key is None else key
    if isinstance(names, (tuple, list)) and all(isinstance(name, str) for name in names):
        return tuple(dict.fromkeys(names))
    raise UsageError(f'{model}: a key is the name of a field or column, or a tuple, not {key!r}.')


def _sql_text(sql: str) -> TextClause:
    """Return SQL text as SQLAlchemy takes it, which the database then gets as it was written.

    SQLAlchemy takes ``:word`` for a parameter, and a mirror has none; of ``\\:word`` it removes the
    backslash. A comment at the end must not reach what follows where this is a subquery.
    """
    sql = _COLON.sub(r'\:', sql.strip().rstrip(';'))
    return text(f'{sql}\n' if re.search('--|#', sql.rpartition('\n')[2]) else sql)


def _executable(name: str, statement: Any) -> Any:
    if isinstance(statement, str):
        return _sql_text(statement)
    if isinstance(statement, FromClause):
        return select(statement)
    if isinstance(statement, Executable):
        return statement
    if isinstance(statement, type) and hasattr(statement, '__mapper__'):
        return select(statement)
    raise UsageError(f'{name}: {statement!r} is no select, table, or SQL text.')


def without_deleted(
    model: str, statement: Any, tombstone: str, quoted: Callable[[str], str]
) -> Any:
    """Return a select without the rows whose tombstone is set.

    :param quoted: spells the name of a column for the database
    :raises UsageError: if it has no such column, or that is a truth value
    """
    if isinstance(statement, TextClause):
        name = quoted(tombstone)
        return text(f'SELECT * FROM ({statement.text}) AS live WHERE {name} IS NULL')
    rows = statement.subquery()
    names = alike(tombstone, rows.c.keys())
    if not names:
        raise UsageError(f'{model}: deleted= names {tombstone!r}, which the select does not have.')
    dead = rows.c[tombstone if tombstone in names else names[0]]
    if isinstance(dead.type, Boolean):
        raise UsageError(
            f'{model}: deleted= names {tombstone!r}, which is never null. Select '
            f'sqlalchemy.func.nullif({tombstone}, False) instead, under the same name.'
        )
    return select(rows).where(dead.is_(None))
