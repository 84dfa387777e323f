"""PostgreSQL as a database whose log can be followed.

The rule: a mirror has one publication and one slot of its name, and nothing else in the database.
"""

from __future__ import annotations

import time

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from ....errors import MirrorError
from ...drivers.driver import code_of
from ..log import ChangeLog, LogBrokenError, Plan, Tables
from .changes import PostgresLog
from .plan import is_of_slot, plan_of
from .stream import MOST_LEAVING
from .tables import quoted

__all__ = ('PostgresSource',)

# How long a new slot waits for transactions that run.
MOST_WAIT = '60s'
_NAME = text("""
    SELECT format('%s.%s', n.nspname, c.relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = to_regclass(:table) AND c.relkind IN ('r', 'p')
""")
_OPEN = text("""
    SELECT format('process %s of %s since %s', pid, usename, xact_start::timestamp(0))
    FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()
    ORDER BY xact_start LIMIT 3
""")
_EXISTING = text("""
    SELECT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = :name),
        EXISTS (SELECT FROM pg_publication WHERE pubname = :name)
""")
_ACTIVE = text('SELECT active_pid FROM pg_replication_slots WHERE slot_name = :name')

# A slot that is lost keeps nothing.
_KEPT = text(
    'SELECT (pg_current_wal_lsn() - restart_lsn)::bigint FROM pg_replication_slots '
    'WHERE slot_name = :name AND NOT pg_is_in_recovery()'
)
_FORGET = text(
    'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots '
    'WHERE slot_name = :name AND NOT active'
)
_END = text("""
    SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots
    WHERE slot_name = :name AND active_pid IS NOT NULL
""")


class PostgresSource:
    """PostgreSQL, as :class:`~IndexedRedis.mirror.follow.log.LogSource`.

    It needs version 13 or later with ``wal_level = logical``. Managed services:

    - Amazon RDS and Aurora: the parameter ``rds.logical_replication = 1`` (restart), and
      ``GRANT rds_replication TO role``.
    - Google Cloud SQL: the flag ``cloudsql.logical_decoding = on`` (restart), and
      ``ALTER ROLE role REPLICATION``.
    - Azure: the server parameter ``wal_level = logical`` (restart), and
      ``ALTER ROLE role REPLICATION``.
    """

    def name_of(self, connection: Connection, table: str, schema: str | None) -> str | None:
        """Return ``schema.table``; None if there is no such table."""
        parts = [quoted(connection, name) for name in (schema, table) if name]
        found: str | None = connection.scalar(_NAME, {'table': '.'.join(parts)})
        return found

    def plan(self, connection: Connection, name: str, tables: Tables) -> Plan:
        """Return what is missing to follow these tables."""
        return plan_of(connection, _slot(name), tables)

    def prepare(self, connection: Connection, plan: Plan) -> None:
        """Carry out the statements of a plan, and commit them."""
        for statement in plan.statements:
            if is_of_slot(statement):
                connection.commit()
                self._make(connection, statement)
            else:
                connection.exec_driver_sql(statement)
        connection.commit()

    def _make(self, connection: Connection, statement: str) -> None:
        """Make or drop the slot. A new one begins when all open transactions have ended."""
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{MOST_WAIT}'")
        try:
            connection.exec_driver_sql(statement)
        except DBAPIError as error:
            connection.rollback()
            if code_of(error) != '55P03':
                raise
            running = '; '.join(connection.scalars(_OPEN))
            connection.rollback()
            raise LogBrokenError(
                f'The slot was not made: it waited {MOST_WAIT} for transactions that are open: '
                f'{running or "their role is not ours"}. End them and prepare again.'
            ) from error
        connection.commit()

    def drop(self, connection: Connection, name: str) -> list[str]:
        """Remove the slot and the publication; return it as SQL statements."""
        slot = _slot(name)
        has_slot, has_publication = connection.execute(_EXISTING, {'name': slot}).one()
        statements = []
        if has_slot:
            _wait_left(connection, slot)
            statements.append(f"SELECT pg_drop_replication_slot('{slot}')")
        if has_publication:
            statements.append(f'DROP PUBLICATION {quoted(connection, slot)}')
        for number, statement in enumerate(statements):
            try:
                connection.exec_driver_sql(statement)
            except DBAPIError as error:
                if code_of(error) != '42501':
                    raise
                done = ''.join(f'Done: {each}\n' for each in statements[:number])
                left = '; '.join(statements[number:])
                raise MirrorError(
                    f'{done}The role may not do the rest. An administrator runs {left}'
                ) from error
            connection.commit()
        return statements

    def release(self, connection: Connection, name: str) -> None:
        """End the connection of another reader, which outlives a process that is suspended."""
        try:
            if connection.scalar(_END, {'name': _slot(name)}):
                _wait_left(connection, _slot(name))
        except DBAPIError as error:  # it is of another role
            if code_of(error) != '42501':
                raise

    def kept(self, connection: Connection, name: str) -> int:
        """Return how many bytes of its log the database keeps on its disk for a mirror."""
        return connection.scalar(_KEPT, {'name': _slot(name)}) or 0

    def forget(self, connection: Connection, name: str) -> bool:
        """Drop the slot of a mirror, unless a reader is connected."""
        try:
            dropped = connection.execute(_FORGET, {'name': _slot(name)}).first()
            connection.commit()
        except DBAPIError as error:
            if code_of(error) != '55006':  # a reader has just connected
                raise
            return False
        return dropped is not None

    def open(self, engine: Engine, name: str, tables: Tables) -> ChangeLog:
        """Connect to the log."""
        return PostgresLog(engine, _slot(name), tables)


def _slot(name: str) -> str:
    """Return the name of the slot of a mirror; PostgreSQL takes small letters only."""
    return f'indexedredis_{name.lower()}'


def _wait_left(connection: Connection, slot: str) -> None:
    """Wait for the server to notice that the reader of a slot is gone."""
    end = time.monotonic() + MOST_LEAVING
    while process := connection.scalar(_ACTIVE, {'name': slot}):
        if time.monotonic() > end:
            raise MirrorError(
                f'The slot {slot} is read by process {process} of the server. '
                'End the follower first.'
            )
        time.sleep(0.05)
