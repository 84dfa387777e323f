"""The SQL side of a run: one transaction for all selects, read in chunks through its cursor.

The rule: whatever is read in one run is the database of one moment, as far as the database can do
that, and never more than a chunk of it is here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, false, func, literal_column, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import Select, TextClause

from ..errors import UsageError

__all__ = ('CHUNK', 'Snapshot', 'snapshot')

CHUNK = 1000
# Every select of the transaction sees what the first one saw.
LEVEL = 'REPEATABLE READ'


class Snapshot:
    """A transaction in which everything is read."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._result: Any = None

    def chunks(self, name: str, statement: Any) -> Iterator[tuple[list[str], Sequence[Any]]]:
        """The names of the columns, with a chunk of rows each time; at least one, maybe empty.

        :param name: of the model, for messages
        """
        self.close()
        how = {'stream_results': True, 'yield_per': CHUNK}
        result = self._result = self._connection.execute(statement, execution_options=how)
        if not result.returns_rows:
            raise UsageError(f'{name}: the statement gives no rows; a mirror takes selects.')
        names = list(result.keys())
        yield names, ()
        for rows in result.partitions(CHUNK):
            yield names, rows

    def close(self) -> None:
        """End the select that is being read: some drivers can have one only."""
        if self._result is not None:
            self._result.close()
            self._result = None

    def names(self, statement: Any) -> list[str] | None:
        """The names of the columns, if the database tells them without running the select."""
        if isinstance(statement, Select):
            asked: Any = statement.limit(0)
        else:
            asked = select(literal_column('*')).select_from(_nested(statement)).where(false())
        answer = self._ask(asked)
        return None if answer is None else answer[0]

    def count(self, statement: Any) -> int | None:
        """How many rows a select gives, if the database can tell."""
        plain = statement.order_by(None) if isinstance(statement, Select) else statement
        answer = self._ask(select(func.count()).select_from(_nested(plain)))
        return None if answer is None else answer[1][0][0]

    def _ask(self, statement: Any) -> tuple[list[str], Sequence[Any]] | None:
        # In a savepoint, since in some databases an error ends the transaction.
        try:
            with self._connection.begin_nested():
                result = self._connection.execute(statement)
                return list(result.keys()), result.fetchall()
        except DBAPIError:
            return None


def _nested(statement: Any) -> Any:
    if isinstance(statement, TextClause):
        statement = statement.columns()
    return statement.subquery()


@contextmanager
def snapshot(database: Any) -> Iterator[Snapshot]:
    """A transaction for reading, ended without a trace.

    :param database: an engine, or a URL
    """
    engine = database if isinstance(database, Engine) else create_engine(database)
    try:
        with engine.connect() as connection:
            _begin(connection)
            taken = Snapshot(connection)
            try:
                yield taken
            finally:
                taken.close()
                connection.rollback()
    finally:
        if engine is not database:
            engine.dispose()


def _begin(connection: Connection) -> None:
    dialect = connection.dialect
    raw: Any = connection.connection
    if LEVEL in dialect.get_isolation_level_values(raw.dbapi_connection):
        connection.execution_options(isolation_level=LEVEL)
    if dialect.name == 'postgresql':
        connection.execution_options(postgresql_readonly=True)
    connection.begin()
    # Python's sqlite3 begins a transaction at the first change only.
    if dialect.name == 'sqlite' and not getattr(raw.driver_connection, 'in_transaction', True):
        connection.exec_driver_sql('BEGIN')
