"""The log of a mirror that follows MariaDB.

The rule: a snapshot says how far it is in the binlog, which has the commits in the order in which
they became visible. So the commits up to there are shown, and the later ones are not.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from sqlalchemy import Connection, Engine

from ..log import MOST_ROWS, Commit, LogBrokenError, LogLostError, Tables, View
from .commits import Commits
from .connecting import as_log_errors, pymysql, settings_of
from .position import BinlogView, Position, StoredPosition, place
from .schema import Schema
from .stream import SILENT_SECONDS, Stream, began

__all__ = ('Binlog',)

# What one call of read() returns at most, so that commits go live while others are read.
MOST_COMMITS = 1000
_RESYNC = 'All data has to be replaced.'


class Binlog:
    """A connection to the binlog, which begins where it ends, until :meth:`at` says where.

    :param tables: the wanted columns of each followed table
    """

    def __init__(self, engine: Engine, tables: Tables) -> None:
        self._engine = engine
        pymysql()
        with as_log_errors():
            self._server, self._start = self._end()
            self._settings = settings_of(engine)
            self._schema = Schema(engine, tables)
        self._commits = Commits(self._schema)
        self._began: dict[str, int] = {}
        self._stream: Stream | None = None
        # What the last snapshot showed.
        self._shown: Position | None = None

    def at(self, position: str) -> BinlogView:
        """Return the view that was stored, and go on from it."""
        stored = StoredPosition.parsed(position)
        if stored is None:
            raise LogLostError(f'{position!r} is not a position in a binlog of MariaDB. {_RESYNC}')
        self._check(stored)
        self.close()
        self._start, self._commits = stored.place, Commits(self._schema)
        self._shown = stored.place
        return BinlogView(stored.place, self._stored)

    def view(self, connection: Connection) -> BinlogView:
        """Return what a snapshot shows.

        The snapshot is opened here, as it has to be opened and asked for its place at once.

        :param connection: it has begun a transaction, and read nothing in it
        """
        with as_log_errors():
            server = connection.exec_driver_sql('SELECT @@server_id').scalar()
            if server != self._server:
                raise LogBrokenError(
                    f'The snapshot is one of the server with server_id {server}, and the log is '
                    f'that of {self._server}. Give a URL that leads to one server only.'
                )
            connection.exec_driver_sql('START TRANSACTION WITH CONSISTENT SNAPSHOT')
            rows = connection.exec_driver_sql("SHOW STATUS LIKE 'binlog_snapshot_%%'")
            found = {row[0].lower(): row[1] for row in rows}
        file = found.get('binlog_snapshot_file')
        if not file:
            raise LogLostError(f'MariaDB writes no binlog any more (log_bin). {_RESYNC}')
        where = place(file, int(found['binlog_snapshot_position']))
        if self._shown is not None and where < self._shown:
            raise LogLostError(
                f'The binlog of MariaDB goes back from {self._shown} to {where}: it was reset, or '
                f'the server was restored. {_RESYNC}'
            )
        self._shown = where
        return BinlogView(where, self._stored)

    def read(self, seconds: float) -> list[Commit]:
        """Return the next commits of followed tables, as soon as there are any."""
        commits: list[Commit] = []
        until, rows = time.monotonic() + seconds, 0
        while len(commits) < MOST_COMMITS and rows < MOST_ROWS:
            before = len(commits)
            # Once there is one, only those are read that came with it.
            if not self._next(0 if commits else until, commits):
                break
            rows += sum(commit.changes for commit in commits[before:])
        return commits

    def read_until(self, view: View) -> list[Commit]:
        """Return all further commits that a view shows."""
        assert isinstance(view, BinlogView)
        commits: list[Commit] = []
        until = time.monotonic() + SILENT_SECONDS
        while self._reached < view.place:
            if not self._next(until, commits):
                raise LogBrokenError(
                    f'MariaDB does not send its binlog up to {view.place}, which a snapshot shows.'
                )
        return commits

    def applied(self, view: View, waiting: Sequence[Commit]) -> None:
        """Do nothing: the server deletes its binlog by its own settings, ``expire_logs_days``."""

    def lag(self) -> int:
        """Return how many bytes of the binlog were not read yet."""
        with as_log_errors():
            sizes = self._sizes()
        reached = self._reached
        later = (size for file, size in sizes.items() if place(file, 0) >= place(reached.file, 0))
        return max(0, sum(later) - reached.offset)

    def close(self) -> None:
        """Close the connection."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    @property
    def _reached(self) -> Position:
        return self._start if self._stream is None else self._stream.reached

    def _next(self, until: float, commits: list[Commit]) -> bool:
        """Read an event, and add the commit that it completes; return False if there is none."""
        if self._stream is None:
            self._stream = Stream(self._settings, self._start)
        event = self._stream.next(until)
        if event is None:
            return False
        with as_log_errors():
            commit = self._commits.take(event, self._stream.reached)
        if commit is not None:
            commits.append(commit)
        return True

    def _stored(self, where: Position) -> StoredPosition:
        if where.file not in self._began:
            self._began = {where.file: began(self._settings, where.file)}
        return StoredPosition(self._server, self._began[where.file], where)

    def _check(self, stored: StoredPosition) -> None:
        """Refuse a place that this binlog does not have."""
        where = stored.place
        if stored.server != self._server:
            raise LogLostError(
                f'The mirror followed the server with server_id {stored.server}, and this one has '
                f'{self._server}. Lead the URL to the former, or all data has to be replaced.'
            )
        with as_log_errors():
            size = self._sizes().get(where.file)
        if size is None:
            raise LogLostError(
                f'MariaDB has purged its binlog {where.file}, which was not read to its end. '
                f'{_RESYNC} A longer expire_logs_days keeps the binlog for longer breaks.'
            )
        if where.offset > size:
            raise LogLostError(
                f'The binlog {where.file} ends at {size}, before {where.offset}, up to where it '
                f'was read: the server was restored, or lost its last writes. {_RESYNC}'
            )
        if self._stored(where) != stored:
            raise LogLostError(
                f'The binlog {where.file} is another one than that which was read: the server was '
                f'restored, or its binlog was reset. {_RESYNC}'
            )

    def _end(self) -> tuple[int, Position]:
        """Return the number of the server, and the end of its binlog."""
        with self._engine.connect() as connection:
            server: int = connection.exec_driver_sql('SELECT @@server_id').scalar_one()
            status = connection.exec_driver_sql('SHOW MASTER STATUS').first()
        if status is None:
            raise LogLostError(
                'MariaDB writes no binlog. Start it with log_bin and binlog_format=ROW.'
            )
        return server, place(status[0], status[1])

    def _sizes(self) -> dict[str, int]:
        """Return how large the files of the binlog are, in order."""
        with self._engine.connect() as connection:
            rows = connection.exec_driver_sql('SHOW BINARY LOGS')
            return {row[0]: row[1] for row in rows}
