"""Where the columns of the followed tables stand, and what cascades to these tables.

The rule: this is read as it is now, though the binlog may be read as it was. That is exact, since a
change of a table between then and now is in the binlog as well, and makes the whole table count
as changed for each snapshot that is opened from now on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, bindparam, text

from ..log import Tables
from .cascades import Cascade, cascades
from .events import TableMap
from .values import Column, Decoder, decoder, kind_of

__all__ = ('Layout', 'Schema', 'columns_of')

_COLUMNS = text(
    'SELECT column_name, ordinal_position - 1, data_type, column_type, character_set_name,'
    ' character_octet_length, numeric_precision, numeric_scale, datetime_precision,'
    " column_key = 'PRI' FROM information_schema.columns"
    ' WHERE table_schema = :schema AND table_name = :table ORDER BY ordinal_position'
).bindparams(bindparam('schema'), bindparam('table'))


def columns_of(connection: Connection, table: str) -> list[Column]:
    """Return the columns of a table, in order. Without the table the list is empty.

    :param table: its full name
    """
    schema, _, name = table.partition('.')
    rows = connection.execute(_COLUMNS, {'schema': schema, 'table': name})
    return [Column(*map(_plain, row)) for row in rows]


def _plain(value: Any) -> Any:
    # MySQL Connector returns some texts of information_schema as bytes.
    return value.decode() if isinstance(value, (bytes, bytearray)) else value


class Layout(NamedTuple):
    """How to take what is wanted out of the rows of a table."""

    #: how many columns the table has
    width: int
    #: the columns whose values are wanted
    columns: Sequence[Column]
    decoders: Sequence[Decoder]
    #: the numbers of columns that other tables refer to
    referred: Sequence[int] = ()
    cascade: Cascade | None = None

    def fits(self, table: TableMap) -> bool:
        """Return whether the rows of the binlog have these columns where they are now."""
        return len(table.columns) >= self.width and all(
            table.columns[column.number].kind == kind_of(column) for column in self.columns
        )

    def values(self, raw: Mapping[int, bytes | None]) -> tuple[Any, ...]:
        """Return the wanted values of a row.

        :raises LookupError: if a column is not in the binlog
        :raises ValueError: if a value does not fit its column
        """
        return tuple(
            None if (found := raw[column.number]) is None else decode(found)
            for column, decode in zip(self.columns, self.decoders, strict=True)
        )


class Schema:
    """What is known of the followed tables, and of those from which changes cascade to them.

    :param tables: the wanted columns of each followed table
    """

    def __init__(self, engine: Engine, tables: Tables) -> None:
        self._engine, self.tables = engine, tables
        self.layouts: dict[str, Layout] = {}
        self.reload()

    def reload(self) -> None:
        """Read everything again."""
        with self._engine.connect() as connection:
            cascading = cascades(connection, self.tables)
            names = {*self.tables, *cascading}
            found = {name: columns_of(connection, name) for name in names}
        self.layouts = {
            name: _layout(columns, self.tables.get(name, ()), cascading.get(name))
            for name, columns in found.items()
        }


def _layout(columns: list[Column], wanted: Sequence[str], cascade: Cascade | None) -> Layout:
    by_name = {column.name.lower(): column for column in columns}
    # A column that is gone, or has another type, fits no row.
    chosen = [by_name.get(name.lower(), _nowhere(name)) for name in wanted]
    decoders = [decoder(column) or _refuse for column in chosen]
    referred = cascade.columns if cascade else ()
    numbers = [by_name[name.lower()].number for name in referred if name.lower() in by_name]
    return Layout(len(columns), chosen, decoders, numbers, cascade)


def _nowhere(name: str) -> Column:
    return Column(name, 0, '', '', None, None, None, None, None, False)


def _refuse(raw: bytes) -> Any:
    raise ValueError('a value of this type is not read from the binlog')
