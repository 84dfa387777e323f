"""The selects of a written mirror: SQL text for a database, tables for models of SQLAlchemy."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Protocol

from sqlalchemy.engine.interfaces import Dialect

from .planning import Join, Model

__all__ = ('Selects', 'SqlText', 'TablesOfModels')

WIDTH = 84


class Selects(Protocol):
    """Writes the selects of a mirror as Python code."""

    #: lines that import what the selects need
    imports: tuple[str, ...]

    def of_model(self, model: Model) -> str:
        """Return the select of a model."""
        ...

    def of_join(self, join: Join) -> str:
        """Return the select of a join table."""
        ...

    def unselected(self, model: Model) -> list[str]:
        """Return the columns that the select has and no field holds."""
        ...


class SqlText:
    """Selects as SQL text.

    :param dialect: quotes the names
    """

    imports: tuple[str, ...] = ()

    def __init__(self, dialect: Dialect) -> None:
        self._quote = dialect.identifier_preparer.quote

    def of_model(self, model: Model) -> str:
        """Return the select of a model, with the columns of its fields."""
        columns = [
            (field.columns[0], field.select)
            for field in model.fields
            if field.code and len(field.columns) == 1
        ]
        return self._select(columns, model.table.name)

    def of_join(self, join: Join) -> str:
        """Return the select of a join table: the key of the row, then that of its target."""
        return self._select(join.columns, join.table.name)

    def unselected(self, model: Model) -> list[str]:
        """Return no column: only those of fields are selected."""
        return []

    def _select(self, columns: Sequence[tuple[str, str]], table: str) -> str:
        place = '.'.join(map(self._quote, table.split('.')))
        listed = [self._column(*each) for each in columns]
        whole = f'SELECT {", ".join(listed)} FROM {place}'
        if len(whole) <= WIDTH - 20:
            return repr(whole)
        # Breaks between columns, and not in their expressions.
        packed = [each.replace(' ', '\0') for each in listed]
        lines = textwrap.wrap(', '.join(packed), WIDTH - 12, break_long_words=False)
        body = '\n                '.join(lines).replace('\0', ' ')
        quotes = '"""' if "'" in body or '"""' not in body else "'''"
        code = f'{quotes}\n            SELECT {body}\n            FROM {place}\n        {quotes}'
        return repr(f'SELECT {", ".join(listed)} FROM {place}') if '\\' in code else code

    def _column(self, name: str, select: str) -> str:
        quoted = self._quote(name)
        return f'{select.format(column=quoted)} AS {quoted}' if select else quoted


class TablesOfModels:
    """Selects as tables of the models of an application.

    :param target: where these are: ``shop.models:Base``
    :param path: Python code that leads from there to its tables
    """

    def __init__(self, target: str, path: str) -> None:
        module, _, name = target.partition(':')
        first = name.partition('.')[0]
        self.imports: tuple[str, ...] = (
            f'from {module} import {first}',
            'from sqlalchemy import select',
        )
        self._tables = f'{name}{path}'

    def of_model(self, model: Model) -> str:
        """Return the table of a model."""
        return self._of(model.table.name)

    def of_join(self, join: Join) -> str:
        """Return the select of a join table."""
        columns = ', '.join(f'{self._of(join.table.name)}.c[{name!r}]' for name, _ in join.columns)
        return f'select({columns})'

    def unselected(self, model: Model) -> list[str]:
        """Return the columns of the table that no field holds."""
        fed = {column for field in model.fields if field.code for column in field.columns}
        return [each.name for each in model.table.columns if each.name not in fed]

    def _of(self, table: str) -> str:
        return f'{self._tables}[{table!r}]'
