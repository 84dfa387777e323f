"""Following MariaDB: the binlog says which rows each commit touched, and a snapshot knows its place
in the binlog.

The rule: nothing is made in the server, so nothing is left there. MySQL cannot say which commits a
snapshot shows without a global lock, so it is refused. Needs the extra ``mysql-follow``, which is
imported when a log is read.
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine, text

from ....errors import UsageError
from ..log import Plan, Tables
from .binlog import Binlog
from .checks import plan

__all__ = ('MariadbSource',)

_TABLE = text(
    'SELECT table_schema, table_name FROM information_schema.tables'
    ' WHERE table_schema = COALESCE(:schema, DATABASE()) AND table_name = :table'
    " AND table_type <> 'VIEW'"
)


class MariadbSource:
    """MariaDB, from 10.3 on; what is followed are tables of InnoDB."""

    def name_of(self, connection: Connection, table: str, schema: str | None) -> str | None:
        """Return the full name of a table: ``schema.table``."""
        found = connection.execute(_TABLE, {'schema': schema, 'table': table}).first()
        return None if found is None else f'{found[0]}.{found[1]}'

    def plan(self, connection: Connection, name: str, tables: Tables) -> Plan:
        """Return what is missing to follow these tables."""
        return plan(connection, tables)

    def prepare(self, connection: Connection, plan: Plan) -> None:
        """Carry out the statements of a plan."""
        for statement in plan.statements:
            connection.exec_driver_sql(statement)

    def drop(self, connection: Connection, name: str) -> list[str]:
        """Return no statement, since :meth:`prepare` makes nothing."""
        return []

    def release(self, connection: Connection, name: str) -> None:
        """Do nothing, since several connections may read the binlog."""

    def kept(self, connection: Connection, name: str) -> int:
        """Refuse, since the server deletes its binlog whoever has read it."""
        raise UsageError(
            'slotLimit is for PostgreSQL. MariaDB deletes its binlog by expire_logs_days, whoever '
            'has read it.'
        )

    def forget(self, connection: Connection, name: str) -> bool:
        """Do nothing, since the server keeps no binlog for a mirror."""
        return True

    def open(self, engine: Engine, name: str, tables: Tables) -> Binlog:
        """Connect to the binlog."""
        return Binlog(engine, tables)
