"""Commits from events of the binlog.

The rule: a commit is complete or not there. Nothing here reads or waits.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from ..log import MOST_ROWS, Commit, LogLostError
from .events import (
    Changed,
    Event,
    Gtid,
    Kind,
    TableMap,
    changes,
    ignores_foreign_keys,
    prepared_xid,
    query_text,
    table_of,
)
from .position import Position
from .schema import Layout, Schema
from .statements import changed_tables, first_words, moves_tables

__all__ = ('Commits',)

# Descriptions of tables that are kept between commits.
_MOST_MAPS = 4096
_ENDS = (['COMMIT'], ['ROLLBACK'])
_WITHIN = ('BEGIN', 'SAVEPOINT', 'ROLLBACK', 'RELEASE')
_STRANGE = (
    'The binlog has an event of the kind {kind}, which is not read here. {why} Then run with '
    '--resync.'
)
_COMPRESSED = range(165, 172)


class Commits:
    """Puts events together to commits.

    :param schema: the followed tables
    """

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._commit: Commit | None = None
        self._alone = False
        # Whether the file that is read ends as it should.
        self._closed = False
        self._maps: dict[int, TableMap] = {}
        # Tables whose rows do not fit, by the numbers of their descriptions.
        self._strange: set[int] = set()
        # Transactions that XA PREPARE wrote, until XA COMMIT.
        self._prepared: dict[str, Commit] = {}

    def take(self, event: Event, end: Position) -> Commit | None:
        """Return the commit that an event completes, if it changed followed tables.

        :param end: the place after the event
        """
        if event.kind == Kind.GTID:
            self._begin(event, end)
        elif event.kind == Kind.TABLE_MAP:
            if table_of(event.body) not in self._maps:
                table = TableMap.parsed(event.body)
                self._maps[table.id] = table
        elif event.kind in Kind.ROWS:
            self._take_rows(event)
        elif event.kind == Kind.QUERY:
            return self._take_query(event, end)
        elif event.kind == Kind.XID:
            return self._end(event, end)
        elif event.kind == Kind.XA_PREPARE:
            if self._commit:
                self._prepared[prepared_xid(event.body)] = self._commit
            self._commit = None
        elif event.kind == Kind.EXECUTE_LOAD:
            self._whole(self._schema.tables)
        elif event.kind == Kind.FORMAT:
            return self._begin_file(event, end)
        elif event.kind in (Kind.STOP, Kind.ROTATE):
            # One without a time is in no file: the server says in which file it goes on.
            self._closed |= event.at != 0
        elif event.kind not in Kind.IDLE:
            raise LogLostError(_strange(event.kind))
        return None

    def _begin_file(self, event: Event, end: Position) -> Commit | None:
        # Another file may be that of a server that was started again and counts tables anew.
        self._maps.clear()
        self._strange.clear()
        crashed = event.end != 0 and not self._closed
        self._closed = False
        if not crashed:
            return None
        # Unless it waits for the disk at each commit, a server that crashed may have lost commits
        # that are in its binlog, or have others that are not.
        at = datetime.fromtimestamp(event.at, UTC)
        return Commit(0, end, at, whole=set(self._schema.tables))

    def _begin(self, event: Event, end: Position) -> None:
        gtid = Gtid.parsed(event.body)
        self._commit = Commit(gtid.number, end, datetime.fromtimestamp(event.at, UTC))
        self._alone = gtid.alone
        if len(self._maps) > _MOST_MAPS:
            self._maps.clear()

    def _end(self, event: Event, end: Position) -> Commit | None:
        commit, self._commit = self._commit, None
        if commit is None or not (commit.touched or commit.whole):
            return None
        commit.end, commit.at = end, datetime.fromtimestamp(event.at, UTC)
        for table in commit.whole:
            commit.touched.pop(table, None)
        return commit

    def _take_query(self, event: Event, end: Position) -> Commit | None:
        schema, statement = query_text(event.body)
        words = first_words(statement)
        if words[:1] == ['XA']:
            self._take_xa(statement, words)
        elif words in _ENDS:
            return self._end(event, end)
        elif words and words[0] not in _WITHIN:
            changed = changed_tables(statement, schema, self._schema.tables)
            if changed or moves_tables(statement):
                self._schema.reload()
            self._whole(changed)
        return self._end(event, end) if self._alone else None

    def _take_xa(self, statement: str, words: list[str]) -> None:
        """Put what was prepared into the commit of ``XA COMMIT``."""
        if words[1] not in ('COMMIT', 'ROLLBACK') or not self._commit:
            return
        xid = statement.split(None, 2)[2].strip()
        prepared = self._prepared.pop(xid, None)
        if words[1] == 'ROLLBACK':
            return
        if prepared is None:
            # It was prepared before the place where reading began.
            self._whole(self._schema.tables)
        else:
            self._commit.touched, self._commit.changes = prepared.touched, prepared.changes
            self._commit.whole |= prepared.whole

    def _whole(self, tables: Iterable[str]) -> None:
        if self._commit:
            self._commit.whole |= set(tables)

    def _take_rows(self, event: Event) -> None:
        table = self._maps[table_of(event.body)]
        layout = self._schema.layouts.get(table.name)
        if layout is None or self._commit is None:
            return
        if not layout.fits(table) and table.id not in self._strange:
            self._schema.reload()
            layout = self._schema.layouts.get(table.name, layout)
            if not layout.fits(table):
                self._strange.add(table.id)
        _Rows(self._commit, event, table, layout, table.name in self._schema.tables).take()


class _Rows:
    """The rows of one event, which become part of a commit."""

    def __init__(
        self, commit: Commit, event: Event, table: TableMap, layout: Layout, followed: bool
    ) -> None:
        self._commit, self._event, self._table = commit, event, table
        self._layout, self._followed = layout, followed
        self._cascade = None if ignores_foreign_keys(event.body) else layout.cascade

    def take(self) -> None:
        """Add the rows to the commit."""
        commit, kind, name = self._commit, self._event.kind, self._table.name
        if not self._layout.fits(self._table):
            self._be_whole()
        if self._cascade and kind == Kind.DELETE:
            commit.whole |= self._cascade.on_delete
        by_key = self._cascade if kind == Kind.UPDATE else None
        wanted = [column.number for column in self._layout.columns]
        wanted = [] if name in commit.whole else wanted
        numbers = [*wanted, *self._layout.referred] if by_key else wanted
        for row in changes(kind, self._event.body, self._table, numbers):
            if self._followed:
                commit.changes += 1
                if name not in commit.whole:
                    self._touch(row)
            if by_key and self._has_other_key(row):
                commit.whole |= by_key.on_update
                by_key = None

    def _touch(self, row: Changed) -> None:
        touched = self._commit.touched.setdefault(self._table.name, set())
        try:
            touched.update(self._layout.values(raw) for raw in row if raw is not None)
        except (LookupError, ValueError):
            self._commit.whole.add(self._table.name)
        if len(touched) > MOST_ROWS:
            touched.clear()
            self._commit.whole.add(self._table.name)

    def _has_other_key(self, row: Changed) -> bool:
        before, after = row.before or {}, row.after or {}
        return any(before.get(each) != after.get(each) for each in self._layout.referred)

    def _be_whole(self) -> None:
        """Take for changed whatever these rows may change."""
        if self._followed:
            self._commit.whole.add(self._table.name)
        if self._cascade:
            self._commit.whole |= self._cascade.on_delete | self._cascade.on_update


def _strange(kind: int) -> str:
    if kind in _COMPRESSED:
        why = 'It is compressed: SET GLOBAL log_bin_compress=OFF.'
    elif kind == 26:
        why = 'The server says that its binlog has a gap.'
    else:
        why = 'Follow this server from another mirror, by --every, or ask for support of it.'
    return _STRANGE.format(kind=kind, why=why)
