"""The change log of PostgreSQL: the commits of a slot, and what snapshots show of them.

The rule: a view is the commits of its snapshot only once the log has been read up to its
position, since a commit is seen by others before, or after, the log is read so far.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from ..log import Commit, LogBrokenError, LogLostError, Tables, View
from .collector import Collector, Place
from .errors import RESYNC
from .holding import hold
from .pgoutput import Decoder, End
from .plan import plan_of
from .stream import Stream
from .tables import found_tables, snapshot_query
from .view import PostgresView, lsn

__all__ = ('PostgresLog',)

# The messages that are read at once: a few hundredths of a second.
MOST_MESSAGES = 5000
# How long the database has for writing its log to the disk before it is told to, in seconds, and
# then between two questions.
PATIENCE = 0.002
_SLOT = text(
    'SELECT confirmed_flush_lsn::text, wal_status, '
    'pg_current_wal_lsn() - confirmed_flush_lsn AS lag, pg_current_wal_insert_lsn()::text '
    'FROM pg_replication_slots WHERE slot_name = :slot'
)
_FLUSH = text(
    "SELECT set_config('synchronous_commit', 'local', true), "
    "pg_logical_emit_message(true, 'indexedredis', '')"
)


class PostgresLog:
    """A connection to a slot, as :class:`~IndexedRedis.mirror.follow.log.ChangeLog`."""

    def __init__(self, engine: Engine, slot: str, tables: Tables) -> None:
        self._engine, self._slot, self._tables = engine, slot, tables
        with self._asking() as connection:
            found = found_tables(connection, tables)
        oids = [found[name].oid if name in found else 0 for name in sorted(tables)]
        self._snapshot = snapshot_query(oids, slot)
        self._stream = Stream(engine.url, slot)
        self._decoder, self._collector = Decoder(), Collector(tables)
        self._log = f'{self._stream.system}/{slot}'
        self._quoted = [part.quoted for table in found.values() for part in table.parts[:1]]
        # Up to here all commits were read; whether messages have arrived that were not read.
        self._reached, self._has_more = 0, False
        # Digests of the tables when they were read last.
        self._layout: tuple[str, ...] | None = None
        # Tables that a view found altered, for the next read.
        self._found: list[Commit] = []

    def at(self, position: str) -> View:
        """Return the view that was stored."""
        view = PostgresView.stored(position)
        if view.log != self._log:
            raise LogLostError(
                f'Redis holds what was read from the log {view.log}; this one is {self._log}: '
                f'another database, or another mirror. {RESYNC}'
            )
        confirmed, _, _, written = self._state()
        if lsn(confirmed) > view.wal:
            raise LogLostError(
                f'The slot {self._slot} was confirmed up to {confirmed}, and Redis holds an '
                f'earlier state: it was emptied, or is an old replica; or the slot was made anew. '
                f'{RESYNC}'
            )
        if lsn(written) < view.wal:
            raise LogLostError(
                f'Redis holds a later state than the database, which is at {written}: it was '
                f'restored from a backup, or is an old standby. {RESYNC}'
            )
        if len(view.layout) != len(self._tables):
            raise LogLostError(f'Other tables are followed than before. {RESYNC}')
        self._layout = view.layout
        return view

    def view(self, connection: Connection) -> View:
        """Return what a snapshot shows."""
        hold(connection, self._quoted)
        snapshot, wal, digests = connection.execute(self._snapshot).one()
        view = PostgresView(self._log, lsn(wal), snapshot, layout := tuple(digests))
        if self._layout is not None and layout != self._layout:
            self._found.append(self._altered(connection, view, self._layout))
        self._layout = layout
        return view

    def _altered(self, connection: Connection, view: PostgresView, old: Sequence[str]) -> Commit:
        """Return a commit of the tables that were altered, which this and later views show."""
        plan = plan_of(connection, self._slot, self._tables)
        if plan.problems or plan.statements:
            raise LogLostError(' '.join([*plan.problems, *plan.statements, RESYNC]))
        names = zip(sorted(self._tables), old, view.layout, strict=True)
        altered = {name for name, before, after in names if before != after}
        end = Place(view.wal, view.wal)
        return Commit(0, end, datetime.now(UTC), whole=altered)

    def read(self, seconds: float) -> list[Commit]:
        """Return some of the next commits."""
        end = time.monotonic() + seconds
        while not (commits := self._receive()):
            left = end - time.monotonic()
            if left <= 0 or not self._wait(left):
                return []
        return commits

    def read_until(self, view: View) -> list[Commit]:
        """Return all further commits that a view shows, and those between them."""
        assert isinstance(view, PostgresView)
        commits, is_flushed = self._receive(), False
        while self._reached < view.wal:
            self._stream.ask()
            end = time.monotonic() + PATIENCE
            while self._reached < view.wal and self._wait(end - time.monotonic()):
                commits += self._receive()
            if self._reached < view.wal and not is_flushed:
                self._flush()
                is_flushed = True
        found, self._found = self._found, []
        return commits + found

    def _wait(self, seconds: float) -> bool:
        return self._has_more or self._stream.wait(seconds)

    def _receive(self) -> list[Commit]:
        """Return the commits that have arrived."""
        commits, count = [], 0
        for message in islice(self._stream.messages(), MOST_MESSAGES):
            count += 1
            event = self._decoder.decode(message)
            if commit := self._collector.feed(event):
                commits.append(commit)
            if isinstance(event, End):
                self._reached = max(self._reached, event.ends)
        self._reached = max(self._reached, self._stream.reached)
        self._has_more = count == MOST_MESSAGES
        return commits

    def _flush(self) -> None:
        """Have the database write its log to the disk: the slot is read no further.

        A transaction that still runs, or one that was committed with ``synchronous_commit`` off,
        leaves a part unwritten for seconds. A commit of our own takes it along.
        """
        with self._asking() as connection:
            connection.execute(_FLUSH)
            connection.commit()

    @contextmanager
    def _asking(self) -> Iterator[Connection]:
        """A connection of the engine, whose errors are those of the log."""
        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            reason = getattr(error, 'orig', None) or error
            raise LogBrokenError(f'The database of the slot {self._slot}: {reason}') from error

    def _state(self) -> Any:
        """Return the row of the slot."""
        with self._asking() as connection:
            row = connection.execute(_SLOT, {'slot': self._slot}).one_or_none()
        if row is None or row.wal_status == 'lost':
            reason = 'is gone' if row is None else 'lost a part of the log that was not read'
            raise LogLostError(f'The slot {self._slot} {reason}. {RESYNC}')
        return row

    def applied(self, view: View, waiting: Sequence[Commit]) -> None:
        """Let the database forget the log up to here."""
        assert isinstance(view, PostgresView)
        # The slot goes on with the first commit that begins here or later. A commit that the view
        # does not show may be before its position, so what was not read is not confirmed.
        begins = [commit.end.begins for commit in waiting]
        self._stream.confirm(min(view.wal, self._reached, *begins))

    def lag(self) -> int:
        """Return how many bytes of the log come after what was applied."""
        return int(self._state().lag)

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()
