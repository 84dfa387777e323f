"""A small shop in PostgreSQL, what is written to it, and its log."""

from __future__ import annotations

import time
from contextlib import contextmanager

from IndexedRedis.mirror.follow.postgres import PostgresSource

TABLES = {'public.artist': ('id',), 'public.album': ('id', 'artist_id')}
SCHEMA = """
    CREATE TABLE artist (id int PRIMARY KEY, name text);
    CREATE TABLE album (id int PRIMARY KEY, artist_id int, cover text);
    CREATE TABLE other (id int PRIMARY KEY);
    ALTER TABLE album REPLICA IDENTITY FULL;
"""


class Shop:
    """The shop, prepared and followed; the slot goes away at the end."""

    def __init__(self, engine, tables=TABLES, schema=SCHEMA):
        self.engine, self.tables, self.source = engine, tables, PostgresSource()
        self._open = []
        self.run(schema)
        self.prepare()
        self.log = self.open()

    def prepare(self):
        with self.engine.connect() as connection:
            plan = self.source.plan(connection, 'shop', self.tables)
            assert plan.problems == []
            self.source.prepare(connection, plan)

    def open(self):
        self._open.append(self.source.open(self.engine, 'shop', self.tables))
        return self._open[-1]

    def reopen(self):
        """Another connection to the log in the place of the first."""
        self.log.close()
        self.log = self.open()
        return self.log

    def run(self, *statements):
        """Execute statements in one transaction."""
        with self.engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    @contextmanager
    def transaction(self, *statements):
        """A transaction that has executed statements and stays open."""
        with self.engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
            yield connection

    def round(self):
        """A snapshot that begins now: its view, and the commits up to there."""
        with self.snapshot() as connection:
            view = self.log.view(connection)
            return view, self.log.read_until(view)

    @contextmanager
    def snapshot(self):
        """A transaction that goes on seeing what its first statement sees."""
        with self.engine.connect() as connection:
            yield connection.execution_options(isolation_level='REPEATABLE READ')

    def commits(self):
        """The commits that no round has returned so far."""
        return self.round()[1]

    def touched(self):
        """What these commits touched, in order."""
        return [commit.touched for commit in self.commits()]

    def until(self, condition):
        """Wait for what the server does in its own time."""
        end = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < end
            time.sleep(0.01)

    def ask(self, query):
        with self.engine.connect() as connection:
            return connection.exec_driver_sql(query).scalar()

    def close(self):
        for log in self._open:
            log.close()
        with self.engine.connect() as connection:
            self.source.drop(connection, 'shop')

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()
