"""A source: the select of one model, and what its columns mean.

The rule: whatever needs no database is checked here, when the mirror is defined.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

from sqlalchemy import Table, select, text
from sqlalchemy.sql import Executable, FromClause, Select

from .. import IRForeignLinkFieldBase, isIndexedRedisModel
from ..errors import UsageError
from ..fields import IRDatetimeValue
from ..utils import near_miss

__all__ = ('Source', 'alike', 'same_model')


class Source:
    """The select of one model.

    :param model: the model
    :param statement: a select, a table, or SQL text
    :param columns: field name by column name, where they differ; None: the column is left out
    :param key: the field, or the column, that identifies a row
    :param defaults: names of fields that no column feeds
    :param epochs: names of datetime fields whose numbers are seconds since 1970 in UTC
    :raises UsageError: if these contradict each other
    """

    def __init__(
        self,
        model: Any,
        statement: Any,
        columns: Mapping[str, str | None],
        key: str | None,
        defaults: Iterable[str],
        epochs: Iterable[str] = (),
    ) -> None:
        if not (isinstance(model, type) and isIndexedRedisModel(model)):
            raise UsageError(f'A mirror takes models and their selects; {model!r} is no model.')
        self.model: Any = cast(Any, model)
        self.model.validateModel()
        self.name: str = model.__name__
        self.fields: dict[str, Any] = {field.name: field for field in self.model.FIELDS}
        self.statement = _executable(self.name, statement)
        self.columns, self.defaults, self.epochs = dict(columns), {*defaults}, {*epochs}
        if not isinstance(key, str | None):
            raise UsageError(
                f'{self.name}: a key is one field or column, not {key!r}. Select a column that '
                "combines several, such as order_id || '-' || pos AS line_id."
            )
        #: whether the rows of the key column have to be checked: a primary key is unique in SQL
        self.check_key = key is not None
        self.key = key or primary_key(self.statement)
        #: the target models of link fields, by field name
        self.links = {
            name: field.foreignModel
            for name, field in self.fields.items()
            if isinstance(field, IRForeignLinkFieldBase)
        }
        self._check()

    def _check(self) -> None:
        for name in (*self.columns, *self.columns.values(), *self.defaults, *self.epochs):
            if not isinstance(name, str | None):
                raise UsageError(
                    f'{self.name}: columns, defaults and epochs name columns and fields, each by '
                    f'a text; given was {name!r}. Write columns={{{self.name}: {{"column": '
                    f'"field"}}}}.'
                )
        for name in (*self.columns.values(), *self.defaults, *self.epochs):
            if name is not None and name not in self.fields:
                hint = near_miss(name, self.fields)
                raise UsageError(f'{self.name} has no field {name!r}.{hint}')
        for name in self.epochs:
            if self.fields[name].valueType is not IRDatetimeValue:
                raise UsageError(f'{self.name}.{name}: epochs names it, but it holds no datetimes.')
        for name in self.links.keys() - self.defaults:
            if self.fields[name].isMulti():
                raise UsageError(
                    f'{self.name}.{name} is a multi link; one SQL column cannot hold it. Name it '
                    'in defaults to leave it null.'
                )

    @property
    def key_field(self) -> str | None:
        """The field that the key column feeds; None if there is none."""
        if self.key is None:
            return None
        mapped: str | None = self.key
        for column in (self.key, *alike(self.key, self.columns)):
            if column in self.columns:
                mapped = self.columns[column]
                break
        names = [mapped] if mapped in self.fields else alike(str(mapped), self.fields)
        return names[0] if len(names) == 1 else None

    def type_of(self, column: int, width: int) -> Any:
        """Return the SQLAlchemy type of a column; None for SQL text, which has none.

        :param width: how many columns the database returns
        """
        selected = list(getattr(self.statement, 'selected_columns', ()))
        return selected[column].type if len(selected) == width else None

    def check_diff(self) -> None:
        """Check that ``mode='diff'`` can find stored objects by the key.

        :raises UsageError: if the key is no indexed field
        """
        name = self.key_field
        if name is None or name not in self.model.INDEXED_FIELDS:
            indexed = ', '.join(self.model.INDEXED_FIELDS) or 'none'
            raise UsageError(
                f"{self.name}: mode='diff' needs keys={{{self.name}: ...}} to name an indexed "
                f'field that a column feeds, not {self.key!r} (indexed: {indexed}).'
            )


def same_model(one: Any, other: Any) -> bool:
    """Return whether both models store their objects under the same keys."""
    related = issubclass(one, other) or issubclass(other, one)
    return bool(related and one.KEY_NAME == other.KEY_NAME)


def alike(name: str, names: Iterable[str]) -> list[str]:
    """Return the names that equal this one but for upper and lower case."""
    return [each for each in names if each.casefold() == name.casefold()]


def primary_key(statement: Any) -> str | None:
    """Return the primary key column of a select from one table; None if it has no single one."""
    froms = statement.get_final_froms() if isinstance(statement, Select) else []
    if len(froms) != 1 or not isinstance(froms[0], Table) or len(froms[0].primary_key) != 1:
        return None
    (key,) = froms[0].primary_key
    columns = [column for column in statement.selected_columns if column.shares_lineage(key)]
    return columns[0].name if len(columns) == 1 else None


def _escaped(sql: str) -> str:
    """Escape ``:word``, which SQLAlchemy takes for a parameter: a mirror has none."""
    return re.sub(r'(?<![:\w\\]):(?=[\w$])', r'\:', sql)


def _executable(name: str, statement: Any) -> Any:
    if isinstance(statement, str):
        return text(_escaped(statement.strip().rstrip(';')))
    if isinstance(statement, FromClause):
        return select(statement)
    if isinstance(statement, Executable):
        return statement
    if isinstance(statement, type) and hasattr(statement, '__mapper__'):
        return select(statement)
    raise UsageError(f'{name}: {statement!r} is no select, table, or SQL text.')
