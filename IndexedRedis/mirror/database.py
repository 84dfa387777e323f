"""The SQL side of a run: one transaction for all selects, read in chunks through its cursor.

The rule: all selects of a run see one snapshot where the database has snapshots, and at most one
chunk of rows is in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    TextClause,
    column,
    create_engine,
    false,
    func,
    literal_column,
    make_url,
    select,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.sql import Select

from ..errors import MirrorError, UsageError
from .drivers.choice import driver_of
from .drivers.mysqlconnector import zeros_in

__all__ = ('Snapshot', 'UnreadableError', 'checked_database', 'open_snapshot')

CHUNK_ROWS = 1000
# With this isolation level every select of the transaction sees what the first one saw.
SNAPSHOT_LEVEL = 'REPEATABLE READ'
# The types json and jsonb of PostgreSQL.
JSON_OIDS = (114, 3802)
# What the column types of SQLAlchemy, and some drivers, raise for a value that they cannot read.
_UNREADABLE = (ValueError, TypeError, LookupError, ArithmeticError)

_DRIVERS = ('postgresql+psycopg://', 'mysql+pymysql://', 'mariadb+pymysql://')
# What to write for names that other programs use, and to give in the place of other objects.
_DIALECTS = {
    'postgres': 'Write postgresql+psycopg://...',
    'postgresql+psycopg3': 'Write postgresql+psycopg://...',
    'sqlite3': 'Write sqlite:///path.',
}
_ENGINE_OF = {
    'Connection': 'A run opens a transaction of its own: give connection.engine.',
    'Session': 'A run opens a transaction of its own: give session.get_bind().',
    'sessionmaker': 'Give the Engine that it was made with.',
}


class UnreadableError(MirrorError):
    """The driver cannot read a value of a select."""


class Snapshot:
    """The transaction in which a run reads everything."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._driver = connection, driver_of(connection)
        self._result: Any = None

    @property
    def has_zero_dates(self) -> bool:
        """Whether the database has the date 0000-00-00."""
        return self._connection.dialect.name in ('mysql', 'mariadb')

    def be_careful(self) -> bool:
        """Read as text what the driver cannot read; return False if that is not to be had."""
        return self._driver.be_careful()

    def chunks(self, name: str, statement: Any) -> Iterator[tuple[list[str], Sequence[Any]]]:
        """Yield the column names with a chunk of rows, at least once; the first chunk is empty.

        :param name: of the model, for messages
        """
        self.close()
        how = {'stream_results': True, 'yield_per': CHUNK_ROWS}
        with self._told(name, 0):
            result = self._result = self._connection.execute(statement, execution_options=how)
        if not result.returns_rows:
            raise UsageError(f'{name}: the statement gives no rows; a mirror takes selects.')
        names = list(result.keys())
        self._driver.begin_select(result.cursor.description)
        yield names, ()
        partitions, read = result.partitions(CHUNK_ROWS), 0
        while True:
            with self._told(name, read):
                rows = next(partitions, None)
            if rows is None:
                return
            self._driver.note(rows)
            yield names, rows
            read += len(rows)

    @contextmanager
    def _told(self, name: str, read: int) -> Iterator[None]:
        """Say by which model, and after how many rows, a value cannot be read."""
        try:
            yield
        except DBAPIError as error:
            if not self._driver.cannot_read(error):
                raise
            raise UnreadableError(_unreadable(name, read, error)) from error
        except _UNREADABLE as error:
            raise MirrorError(_unreadable(name, read, error)) from error

    def columns_with_none(self) -> list[int]:
        """Return the columns of the select that was read where None may be a date with zeros."""
        return self._driver.columns_with_none()

    def zero_dates(
        self, statement: Any, names: Sequence[str], number: int, null_is_meant: bool
    ) -> int | None:
        """Return how many dates with zeros a column has; None if the database cannot tell.

        :param names: the names of the columns of the select
        :param number: that of the column
        :param null_is_meant: whether 0000-00-00 does not count, since it means NULL
        """
        answer = self._try(zeros_in(_subquery(statement, names), number, null_is_meant))
        return None if answer is None else answer[1][0][0]

    def json_columns(self) -> frozenset[int]:
        """Return the numbers of the columns of the open select that the driver decodes from JSON.

        Drivers of PostgreSQL do; the others return text.
        """
        if self._connection.dialect.name != 'postgresql':
            return frozenset()
        described = enumerate(self._result.cursor.description)
        return frozenset(number for number, column in described if column[1] in JSON_OIDS)

    def close(self) -> None:
        """Close the cursor: some drivers have one at a time."""
        if self._result is not None:
            self._result.close()
            self._result = None

    def end(self) -> None:
        """End the transaction, and leave the connection as it was."""
        self.close()
        self._driver.end()
        self._connection.rollback()

    def column_names(self, statement: Any) -> list[str] | None:
        """Return the column names without running the select; None if the database cannot."""
        if isinstance(statement, Select):
            empty: Any = statement.limit(0)
        else:
            empty = select(literal_column('*')).select_from(_subquery(statement)).where(false())
        answer = self._try(empty)
        return None if answer is None else answer[0]

    def count(self, statement: Any) -> int | None:
        """Return how many rows a select gives; None if the database cannot count them."""
        unordered = statement.order_by(None) if isinstance(statement, Select) else statement
        answer = self._try(select(func.count()).select_from(_subquery(unordered)))
        return None if answer is None else answer[1][0][0]

    def equal_keys(
        self, statement: Any, names: Sequence[str], values: Sequence[tuple[Any, ...]]
    ) -> list[tuple[Any, ...]]:
        """Return up to two keys of a select that SQL holds equal to given ones, by their collation.

        :param names: the names of the key columns
        :param values: the given keys; one only, if the key has several columns
        """
        rows = _subquery(statement, names)
        keys = [each for name in names for known, each in rows.c.items() if known == name]
        if len(keys) != len(names):
            return []
        parts = zip(keys, zip(*values, strict=True), strict=True)
        equal = (key == some[0] if len(some) == 1 else key.in_(some) for key, some in parts)
        query = select(*keys).where(*equal).limit(2)
        if self._connection.dialect.name not in ('mysql', 'mariadb'):
            answer = self._try(query)
            return [] if answer is None else [tuple(row) for row in answer[1]]
        # Its cursor allows no second statement. Another snapshot is enough, since the caller looks
        # up the key among the keys of this one.
        with self._connection.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(query)]

    def _try(self, statement: Any) -> tuple[list[str], Sequence[Any]] | None:
        # In a savepoint, since in some databases an error ends the transaction.
        try:
            with self._connection.begin_nested():
                result = self._connection.execute(statement)
                return list(result.keys()), result.fetchall()
        except DBAPIError:
            return None


def _unreadable(name: str, read: int, error: Exception) -> str:
    reason = getattr(error, 'orig', None) or error
    return (
        f'{name}: after {read:,} rows came a value that the driver of the database cannot read: '
        f'{str(reason).rstrip(".")}. Nothing was changed. Convert such values in the select: '
        "NULLIF(column, 'infinity'), for instance, or CAST(column AS text)."
    )


def _subquery(statement: Any, names: Sequence[str] = ()) -> Any:
    """Return a select as a subquery.

    :param names: the names of the columns of SQL text
    """
    if isinstance(statement, TextClause):
        statement = statement.columns(*map(column, names))
    return statement.subquery()


def checked_database(database: Any) -> Engine | URL:
    """Return an engine as it is, and a text as a URL. No message shows the text: it has a password.

    :raises UsageError: if it is neither, or SQLAlchemy does not understand it
    """
    if isinstance(database, Engine):
        if database.dialect.is_async:
            raise UsageError(_of_asyncio(f'an engine of {database.dialect.driver}'))
        return database
    if not isinstance(database, (str, URL)):
        kind = type(database).__name__
        if kind.startswith('Async') or kind == 'async_sessionmaker':
            raise UsageError(_of_asyncio(kind))
        hint = _ENGINE_OF.get(kind, 'Give create_engine(...), or a URL.')
        raise UsageError(
            'A mirror reads from an Engine of SQLAlchemy, or from a URL; '
            f'given was a {kind}. {hint}'
        )
    try:
        url = make_url(database)
        if '@' in (url.host or ''):
            raise ValueError
        of_asyncio = url.get_dialect().is_async
    except NoSuchModuleError:
        hint = _DIALECTS.get(url.drivername, 'Write dialect+driver://..., as SQLAlchemy does.')
        raise UsageError(f'SQLAlchemy has no dialect {url.drivername!r}. {hint}') from None
    except (ArgumentError, ValueError):
        raise UsageError(
            'SQLAlchemy does not understand the URL of the database; it is not shown, since it may '
            'have a password. Write dialect+driver://user:password@host:port/database, with the '
            'password escaped by urllib.parse.quote_plus().'
        ) from None
    if of_asyncio:
        raise UsageError(_of_asyncio(f'the driver of {url.drivername}://'))
    return url


def _of_asyncio(what: str) -> str:
    return (
        f'A mirror reads in a thread, and {what} needs an event loop. Give a URL, or an Engine, '
        f'with another driver, such as {", ".join(_DRIVERS)} or sqlite://.'
    )


@contextmanager
def open_snapshot(database: Engine | URL) -> Iterator[Snapshot]:
    """Open a transaction for reading, and roll it back at the end."""
    try:
        engine = database if isinstance(database, Engine) else create_engine(database)
    except ImportError as error:
        assert isinstance(database, URL)
        raise UsageError(
            f'The driver of {database.drivername}:// is not installed ({error}). Install it, or '
            f'name another one: {", ".join(_DRIVERS)}.'
        ) from error
    try:
        with engine.connect() as connection:
            _begin(connection)
            snapshot = Snapshot(connection)
            try:
                yield snapshot
            finally:
                snapshot.end()
    finally:
        if engine is not database:
            engine.dispose()


def _begin(connection: Connection) -> None:
    dialect = connection.dialect
    raw: Any = connection.connection
    if SNAPSHOT_LEVEL in dialect.get_isolation_level_values(raw.dbapi_connection):
        connection.execution_options(isolation_level=SNAPSHOT_LEVEL)
    if dialect.name == 'postgresql':
        connection.execution_options(postgresql_readonly=True)
    connection.begin()
    # Python's sqlite3 begins a transaction at the first change only.
    if dialect.name == 'sqlite' and not getattr(raw.driver_connection, 'in_transaction', True):
        connection.exec_driver_sql('BEGIN')
