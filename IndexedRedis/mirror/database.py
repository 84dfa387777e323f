"""The SQL side of a run: one transaction for all selects, read in chunks through its cursor.

The rule: all selects of a run see one snapshot where the database has snapshots, and at most one
chunk of rows is in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from sqlalchemy import (
    URL,
    Connection,
    CursorResult,
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

__all__ = (
    'Snapshot',
    'UnreadableError',
    'checked_database',
    'open_snapshot',
    'opened',
    'quoting_of',
    'subquery_of',
)

T = TypeVar('T')

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
        #: whether what the driver cannot read comes as text
        self.is_careful = False

    @property
    def connection(self) -> Connection:
        """The connection, in its transaction."""
        return self._connection

    @property
    def has_zero_dates(self) -> bool:
        """Whether the database has the date 0000-00-00."""
        return self._connection.dialect.name in ('mysql', 'mariadb')

    def carefully(self, work: Callable[[], T]) -> T:
        """Read; if the driver cannot read a value, read again and have it as text.

        Then its field refuses it, and the message names all such rows.

        :param work: reads from the snapshot, and may do so twice
        """
        try:
            return work()
        except UnreadableError:
            if not self.be_careful():
                raise
            return work()

    def be_careful(self) -> bool:
        """Have as text what the driver cannot read; return False if that changes nothing."""
        self.is_careful = self._driver.be_careful()
        return self.is_careful

    def chunks(
        self, name: str, statement: Any, at_once: bool = False
    ) -> Iterator[tuple[list[str], Sequence[Any]]]:
        """Yield the column names with a chunk of rows, at least once; the first chunk is empty.

        :param name: of the model, for messages
        :param at_once: whether the rows are few, and may come without a cursor of the server, which
            takes four more trips
        """
        self.close()
        how = {} if at_once else {'stream_results': True, 'yield_per': CHUNK_ROWS}
        with self.told(name, 0):
            result = self._result = self._connection.execute(statement, execution_options=how)
        if not result.returns_rows:
            raise UsageError(f'{name}: the statement gives no rows; a mirror takes selects.')
        names = list(result.keys())
        self._driver.begin_select(result.cursor.description)
        yield names, ()
        partitions, read = result.partitions(CHUNK_ROWS), 0
        while True:
            with self.told(name, read):
                rows = next(partitions, None)
            if rows is None:
                return
            self._driver.note(rows)
            yield names, rows
            read += len(rows)

    @contextmanager
    def told(self, name: str, read: int = 0) -> Iterator[None]:
        """Say by which model, and after how many rows, a value cannot be read.

        :raises MirrorError: if one cannot be read inside
        """
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
        counted = zeros_in(subquery_of(statement, names), number, null_is_meant)
        return self._try(counted, lambda result: result.scalar_one())

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
        return self._try(_without_rows(statement), lambda result: list(result.keys()))

    def columns(self, statement: Any) -> list[tuple[str, Any]] | None:
        """Return name and type code of each column; None if the database cannot.

        The codes are those that the driver gives: numbers of types, different in each database.
        """
        return self._try(
            _without_rows(statement),
            lambda result: [(each[0], each[1]) for each in result.cursor.description],
        )

    def count(self, statement: Any) -> int | None:
        """Return how many rows a select gives; None if the database cannot count them."""
        unordered = statement.order_by(None) if isinstance(statement, Select) else statement
        counted = select(func.count()).select_from(subquery_of(unordered))
        return self._try(counted, lambda result: result.scalar_one())

    def equal_keys(
        self, statement: Any, names: Sequence[str], values: Sequence[tuple[Any, ...]]
    ) -> list[tuple[Any, ...]]:
        """Return up to two keys of a select that SQL holds equal to given ones, by their collation.

        :param names: the names of the key columns
        :param values: the given keys; one only, if the key has several columns
        """
        rows = subquery_of(statement, names)
        keys = [each for name in names for known, each in rows.c.items() if known == name]
        if len(keys) != len(names):
            return []
        parts = zip(keys, zip(*values, strict=True), strict=True)
        equal = (key == some[0] if len(some) == 1 else key.in_(some) for key, some in parts)
        query = select(*keys).where(*equal).limit(2)
        if self._connection.dialect.name not in ('mysql', 'mariadb'):
            return self._try(query, lambda result: [tuple(row) for row in result]) or []
        # Its cursor allows no second statement. Another snapshot is enough, since the caller looks
        # up the key among the keys of this one.
        with self._connection.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(query)]

    def _try(self, statement: Any, read: Callable[[CursorResult[Any]], T]) -> T | None:
        """Return what is read of the result; None if the database refuses the statement."""
        # In a savepoint, since in some databases an error ends the transaction.
        try:
            with self._connection.begin_nested():
                result = self._connection.execute(statement)
                try:
                    return read(result)
                finally:
                    result.close()
        except DBAPIError as error:
            if error.connection_invalidated:
                raise  # the next statement would fail with an error that does not name the cause
            return None


def _unreadable(name: str, read: int, error: Exception) -> str:
    reason = getattr(error, 'orig', None) or error
    return (
        f'{name}: after {read:,} rows came a value that the driver of the database cannot read: '
        f'{str(reason).rstrip(".")}. Nothing was changed. Convert such values in the select: '
        "NULLIF(column, 'infinity'), for instance, or CAST(column AS text)."
    )


def _without_rows(statement: Any) -> Any:
    if isinstance(statement, Select):
        return statement.limit(0)
    return select(literal_column('*')).select_from(subquery_of(statement)).where(false())


def subquery_of(statement: Any, names: Sequence[str] = ()) -> Any:
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


def quoting_of(database: Engine | URL) -> Callable[[str], str]:
    """Return what spells names for a database: in quotes where it would take them for others."""
    dialect = database.dialect if isinstance(database, Engine) else database.get_dialect()()
    return dialect.identifier_preparer.quote


def _of_asyncio(what: str) -> str:
    return (
        f'A mirror reads in a thread, and {what} needs an event loop. Give a URL, or an Engine, '
        f'with another driver, such as {", ".join(_DRIVERS)} or sqlite://.'
    )


@contextmanager
def opened(database: Engine | URL) -> Iterator[Engine]:
    """Give the engine of a database; at the end, close the connections of one that is made here.

    :raises UsageError: if the driver is not installed
    """
    try:
        engine = database if isinstance(database, Engine) else create_engine(database)
    except ImportError as error:
        assert isinstance(database, URL)
        raise UsageError(
            f'The driver of {database.drivername}:// is not installed ({error}). Install it, or '
            f'name another one: {", ".join(_DRIVERS)}.'
        ) from error
    try:
        yield engine
    finally:
        if engine is not database:
            engine.dispose()


@contextmanager
def open_snapshot(database: Engine | URL) -> Iterator[Snapshot]:
    """Open a transaction for reading, and roll it back at the end."""
    with opened(database) as engine:
        connection = engine.connect()
        try:
            with _wrapped(connection):
                _begin(connection)
            snapshot = Snapshot(connection)
            try:
                yield snapshot
            finally:
                snapshot.end()
        finally:
            # It sets the isolation level back. Where that fails, so that the pool drops the
            # connection, drivers raise errors of their own.
            with suppress(Exception):
                connection.close()


@contextmanager
def _wrapped(connection: Connection) -> Iterator[None]:
    """Raise errors of the driver as those of SQLAlchemy, and drop the connection.

    SQLAlchemy does so for statements, but not where it sets the isolation level: on a connection of
    the pool that broke meanwhile, as when the database was started again.
    """
    dialect: Any = connection.dialect
    try:
        yield
    except dialect.loaded_dbapi.Error as error:
        connection.invalidate(error)
        raise DBAPIError.instance(
            None, None, error, dialect.loaded_dbapi.Error, connection_invalidated=True
        ) from error


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
