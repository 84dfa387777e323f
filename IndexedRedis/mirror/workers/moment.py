"""One moment of the database for all transactions of a run.

The rule: where a database cannot give it, the run is refused.

PostgreSQL exports the snapshot of a transaction, and others take it over. MariaDB and MySQL share
none: while the tables of the selects are locked against writes, all transactions begin, each with a
snapshot of its own; then the lock goes. It takes some milliseconds, once the transactions that are
writing to these tables have ended.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from ...errors import MirrorError, UsageError
from ..database import Snapshot
from ..source import Source

__all__ = ('check_dialect', 'join', 'one_moment')

_MYSQL = ('mysql', 'mariadb')
# How long the lock of the tables waits for transactions that write to them; others wait with it.
LOCK_SECONDS = 10
_BEGIN = 'START TRANSACTION WITH CONSISTENT SNAPSHOT'
_TABLES = """
    SELECT table_schema, table_name, table_schema = DATABASE() FROM information_schema.tables
    WHERE table_type IN ('BASE TABLE', 'VIEW', 'SYSTEM VERSIONED')
    AND table_schema NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')
"""


def check_dialect(name: str, workers: int) -> None:
    """Check that a kind of database gives several connections the same moment.

    :param name: that of the dialect of SQLAlchemy
    :raises UsageError: if it does not
    """
    if name not in (*_MYSQL, 'postgresql'):
        raise UsageError(
            f'workers={workers} reads PostgreSQL, MariaDB or MySQL, whose connections can begin at '
            f'the same moment; the database is {name}. Load with workers=1.'
        )


@contextmanager
def one_moment(snapshot: Snapshot, sources: Sequence[Source]) -> Iterator[str]:
    """Hold a moment of the database during the block, and yield what :func:`join` takes.

    :param snapshot: of the run; in MariaDB and MySQL its transaction begins again
    :raises MirrorError: if the tables cannot be locked
    """
    connection = snapshot.connection
    if connection.dialect.name == 'postgresql':
        snapshot.close()
        yield connection.exec_driver_sql('SELECT pg_export_snapshot()').scalar_one()
        return
    snapshot.close()
    with connection.engine.connect() as locking:
        locking.detach()  # its settings do not go back to the pool
        _lock(locking, _tables_of(connection, sources))
        try:
            join(connection, '')
            yield ''
        finally:
            locking.exec_driver_sql('UNLOCK TABLES')


def join(connection: Connection, moment: str) -> None:
    """Begin the transaction of a connection at the moment that another process holds.

    :param connection: one that has executed nothing
    :param moment: what :func:`one_moment` yielded
    """
    if connection.dialect.name == 'postgresql':
        connection.execute(text(f"SET TRANSACTION SNAPSHOT '{moment}'"))
    else:
        connection.exec_driver_sql(_BEGIN)


def _lock(connection: Connection, tables: Sequence[str]) -> None:
    connection.exec_driver_sql(f'SET SESSION lock_wait_timeout = {LOCK_SECONDS}')
    if not tables:
        raise UsageError(
            'None of the tables that the database lists stands in the selects, so nothing can be '
            'locked for the moment at which all workers begin to read. Load with workers=1.'
        )
    try:
        locked = ', '.join(f'{name} READ' for name in tables)
        connection.exec_driver_sql(f'LOCK TABLES {locked}')
    except DBAPIError as error:
        raise MirrorError(
            f'The tables of the selects could not be locked for the moment at which all workers '
            f'begin to read: {error.orig}. Nothing was changed. The user of the database needs the '
            f'rights SELECT and LOCK TABLES, and a transaction that writes to the tables has to '
            f'end within {LOCK_SECONDS} s; or load with workers=1.'
        ) from error


def _tables_of(connection: Connection, sources: Sequence[Source]) -> list[str]:
    """Return the tables and views whose names stand in the selects, quoted.

    A name may mean something else there. Then one table more is locked, which does no harm.
    """
    statements = [each for source in sources for each in (source.statement, *source.joins.values())]
    dialect = connection.dialect
    sql = '\n'.join(str(each.compile(dialect=dialect)) for each in statements).casefold()
    quote = dialect.identifier_preparer.quote_identifier
    return [
        f'{quote(schema)}.{quote(table)}'
        for schema, table, is_current in connection.exec_driver_sql(_TABLES)
        if _stands(table, sql) and (is_current or _stands(schema, sql))
    ]


def _stands(name: Any, sql: str) -> bool:
    return bool(re.search(rf'(?<![\w$]){re.escape(str(name).casefold())}(?![\w$])', sql))
