"""A log of changes in SQLite, for tests of what follows one: triggers write it.

The rule: each row that changed counts as a commit. A snapshot shows the commits up to a number.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, text

from IndexedRedis.mirror.follow.log import Commit, LogLostError, Plan, Tables

POLL_SECONDS = 0.005
LOG = 'CREATE TABLE follow_log (id INTEGER PRIMARY KEY AUTOINCREMENT, tab, before, after)'
EVENTS = {'INSERT': ('new',), 'UPDATE': ('old', 'new'), 'DELETE': ('old',)}


class LogView(NamedTuple):
    last: int

    @property
    def position(self) -> str:
        return str(self.last)

    def shows(self, commit: Commit) -> bool:
        return commit.id <= self.last


class Log:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._read = 0

    def at(self, position: str) -> LogView:
        with self._engine.connect() as connection:
            (first,) = connection.execute(text('SELECT min(id) FROM follow_log')).one()
            if first is not None and first > int(position) + 1:
                raise LogLostError('the log does not reach back')
            if self.view(connection).last < int(position):
                raise LogLostError('the log was made anew')
        self._read = int(position)
        return LogView(int(position))

    def view(self, connection: Connection) -> LogView:
        last = "SELECT seq FROM sqlite_sequence WHERE name = 'follow_log'"
        return LogView(connection.execute(text(last)).scalar() or 0)

    def read(self, seconds: float) -> list[Commit]:
        end = time.monotonic() + seconds
        while not (found := self._next()) and time.monotonic() < end:
            time.sleep(POLL_SECONDS)
        return found

    def _next(self) -> list[Commit]:
        query = text('SELECT * FROM follow_log WHERE id > :id ORDER BY id')
        with self._engine.connect() as connection:
            rows = connection.execute(query, {'id': self._read}).all()
        commits = []
        for key, table, *values in rows:
            self._read = key
            touched = {tuple(json.loads(each)) for each in values if each is not None}
            commits.append(Commit(key, key, datetime.now(UTC), 1, {table: touched}))
        return commits

    def read_until(self, view: Any) -> list[Commit]:
        return self._next()

    def applied(self, view: Any, waiting: Any) -> None:
        with self._engine.begin() as connection:
            connection.execute(text('DELETE FROM follow_log WHERE id <= :id'), {'id': view.last})

    def lag(self) -> int:
        with self._engine.connect() as connection:
            return 100 * connection.execute(text('SELECT count(*) FROM follow_log')).scalar_one()

    def close(self) -> None:
        pass


class Logs:
    def name_of(self, connection: Connection, table: str, schema: str | None) -> str | None:
        return table if self._exists(connection, table) else None

    def plan(self, connection: Connection, name: str, tables: Tables) -> Plan:
        statements = [] if self._exists(connection, 'follow_log') else [LOG]
        for table, columns in tables.items():
            for event, sides in EVENTS.items():
                trigger = f'follow_{table}_{event}'.lower()
                if self._exists(connection, trigger):
                    continue
                values = [
                    f'json_array({", ".join(f"{side}.{each}" for each in columns)})'
                    if side in sides
                    else 'NULL'
                    for side in ('old', 'new')
                ]
                statements.append(
                    f'CREATE TRIGGER {trigger} AFTER {event} ON {table} BEGIN INSERT INTO '
                    f"follow_log (tab, before, after) VALUES ('{table}', {', '.join(values)}); END"
                )
        return Plan([], statements, ['a log of triggers is slow'])

    def prepare(self, connection: Connection, plan: Plan) -> None:
        for statement in plan.statements:
            connection.execute(text(statement))
        connection.commit()

    def drop(self, connection: Connection, name: str) -> list[str]:
        query = "SELECT type, name FROM sqlite_master WHERE name LIKE 'follow_%'"
        found = connection.execute(text(query)).all()
        statements = [f'DROP {kind.upper()} {each}' for kind, each in found]
        self.prepare(connection, Plan([], statements))
        return statements

    def release(self, connection: Connection, name: str) -> None:
        pass

    def kept(self, connection: Connection, name: str) -> int:
        return Log(connection.engine).lag() if self._exists(connection, 'follow_log') else 0

    def forget(self, connection: Connection, name: str) -> bool:
        return bool(self.drop(connection, name))

    def open(self, engine: Engine, name: str, tables: Tables) -> Log:
        return Log(engine)

    def _exists(self, connection: Connection, name: str) -> bool:
        query = text('SELECT count(*) FROM sqlite_master WHERE name = :name')
        return bool(connection.execute(query, {'name': name}).scalar())
