"""What following PostgreSQL needs, and what is missing of it.

The rule: settings, rights and tables of others are problems, with the statement that mends them;
only the publication and the slot of the mirror are made from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, text

from ..log import Plan, Tables
from .tables import Column, Part, Table, found_tables, quoted
from .values import KEY_TYPES

__all__ = ('is_of_slot', 'plan_of')

OLDEST = 130000  # the first version with pg_current_snapshot() and partitions in publications
# The longest name that PostgreSQL has.
LONGEST = 63
_SERVER = text("""
    SELECT current_setting('server_version_num')::int AS version,
        pg_is_in_recovery() AS is_standby, current_setting('wal_level') AS wal_level,
        current_setting('max_replication_slots')::int AS most_slots,
        (SELECT count(*) FROM pg_replication_slots) AS slots,
        current_setting('max_slot_wal_keep_size', true) AS keep,
        current_database()::text AS database, current_user::text AS role,
        has_database_privilege(current_database(), 'CREATE') AS may_create,
        rolsuper OR rolreplication OR coalesce(
            pg_has_role(to_regrole('rds_replication')::oid, 'MEMBER'), false
        ) AS may_replicate
    FROM pg_roles WHERE rolname = current_user
""")
_PUBLICATION = text("""
    SELECT p.puballtables AS has_all, pg_has_role(p.pubowner, 'USAGE') AS is_owner,
        pubinsert AND pubupdate AND pubdelete AND pubtruncate AND pubviaroot AS is_complete,
        ARRAY(
            SELECT format('%s.%s', n.nspname, c.relname) FROM pg_publication_rel r
            JOIN pg_class c ON c.oid = r.prrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE r.prpubid = p.oid
        ) AS tables,
        EXISTS (
            SELECT FROM pg_publication_rel r WHERE r.prpubid = p.oid
            AND coalesce(to_jsonb(r) ->> 'prqual', to_jsonb(r) ->> 'prattrs') IS NOT NULL
        ) AS is_filtered
    FROM pg_publication p WHERE pubname = :name
""")
_SLOT = text("""
    SELECT plugin::text, database::text, wal_status FROM pg_replication_slots
    WHERE slot_name = :name
""")


def is_of_slot(statement: str) -> bool:
    """Return whether a statement of a plan needs a transaction of its own."""
    return statement.startswith('SELECT pg_')


def plan_of(connection: Connection, name: str, tables: Tables) -> Plan:
    """Return what is missing to follow tables.

    :param name: of the slot and the publication
    """
    server = connection.execute(_SERVER).one()
    if server.version < OLDEST:
        return Plan(['Following needs PostgreSQL 13 or later.'], [])
    publication = connection.execute(_PUBLICATION, {'name': name}).one_or_none()
    slot = connection.execute(_SLOT, {'name': name}).one_or_none()
    found = found_tables(connection, tables)
    problems = [
        *_server_problems(server, slot is not None),
        *_object_problems(name, server, publication, slot),
    ]
    for table, columns in sorted(tables.items()):
        problems += _table_problems(table, found.get(table), columns)
    statements: list[str] = []
    if found.keys() == tables.keys():
        roots = [found[table].parts[0] for table in sorted(tables)]
        shown = ', '.join(root.quoted for root in roots)
        statements += _publication_statements(quoted(connection, name), publication, shown, tables)
        if statements:
            problems += _right_problems(server, publication, roots, statements)
        statements += _slot_statements(name, slot, publication is None)
    warnings = [*_disk_warnings(server), *_read_warnings(server, found)]
    return Plan(problems, [] if problems else statements, warnings)


def _server_problems(server: Any, has_slot: bool) -> Iterator[str]:
    if server.is_standby:
        yield 'The server is a standby. Follow the primary.'
    if server.wal_level != 'logical':
        yield (
            f'The setting wal_level is {server.wal_level}. Run ALTER SYSTEM SET wal_level = '
            'logical and restart the server; managed services have a switch of their own for it.'
        )
    if not server.may_replicate:
        yield (
            f'The role {server.role} may not read the log. An administrator runs ALTER ROLE '
            f'{server.role} REPLICATION; on Amazon RDS: GRANT rds_replication TO {server.role}.'
        )
    if not has_slot and server.slots >= server.most_slots:
        yield (
            f'All {server.most_slots} replication slots are in use. Drop one that nobody reads '
            '(pg_replication_slots), or raise max_replication_slots and restart the server.'
        )


def _object_problems(name: str, server: Any, publication: Any, slot: Any) -> Iterator[str]:
    """Yield what is wrong with what exists, or may not be made."""
    if len(name) > LONGEST:
        yield f'The name {name} is longer than {LONGEST} letters. Give the mirror a shorter one.'
    if publication is not None and publication.has_all:
        yield f'The publication {name} is for all tables. Drop it, or give the mirror another name.'
    if slot is not None and (slot.plugin, slot.database) != ('pgoutput', server.database):
        yield (
            f'The slot {name} exists, for the database {slot.database} and the plugin '
            f'{slot.plugin}. Drop it, or give the mirror another name.'
        )


def _table_problems(name: str, table: Table | None, columns: Iterable[str]) -> Iterator[str]:
    if table is None:
        yield f'There is no table {name}.'
        return
    root = table.parts[0]
    if root.kind not in 'rp' or root.persistence != 'p':
        yield f'{name}: is not in the log: it is no table, or a temporary or unlogged one.'
        return
    if root.kind == 'r' and len(table.parts) > 1:
        yield f'{name}: has child tables by INHERITS. Follow a partitioned table.'
    if root.is_partition:
        yield f'{name}: is a partition. Follow the table that it is a part of.'
    for column in columns:
        yield from _column_problems(f'{name}.{column}', table.columns.get(column))
    for part in table.parts:
        if table.columns.keys() >= {*columns} and not part.covers(columns):
            yield (
                f'{name}: the log has no old values of {", ".join(columns)}. Run ALTER TABLE '
                f'{part.quoted} REPLICA IDENTITY FULL.'
            )


def _right_problems(
    server: Any, publication: Any, roots: list[Part], statements: list[str]
) -> Iterator[str]:
    """Yield why the role may not publish the tables. It can read the log of what others publish."""
    others = [root.quoted for root in roots if not root.is_owner]
    if publication is not None and not publication.is_owner:
        others.append('the publication')
    reasons = [f'does not own {", ".join(others)}'] if others else []
    if publication is None and not server.may_create:
        reasons.append(f'lacks the right CREATE of the database {server.database}')
    if reasons:
        yield (
            f'The role {server.role} may not publish the tables: it {", and ".join(reasons)}. '
            f'An administrator runs {"; ".join(statements)}'
        )


def _column_problems(name: str, column: Column | None) -> Iterator[str]:
    if column is None:
        yield f'{name}: there is no such column.'
    elif column.is_generated:
        yield f'{name}: a generated column is not in the log.'
    elif column.type not in KEY_TYPES or not column.is_builtin:
        yield (
            f'{name}: cannot be followed by a key of type {column.shown}; '
            f'these can be keys: {", ".join(sorted(KEY_TYPES))}.'
        )


def _publication_statements(
    name: str, publication: Any, shown: str, tables: Iterable[str]
) -> Iterator[str]:
    if publication is None:
        how = 'WITH (publish_via_partition_root = true)'
        yield f'CREATE PUBLICATION {name} FOR TABLE {shown} {how}'
        return
    if {*publication.tables} != {*tables} or publication.is_filtered:
        yield f'ALTER PUBLICATION {name} SET TABLE {shown}'
    if not publication.is_complete:
        yield (
            f"ALTER PUBLICATION {name} SET (publish = 'insert, update, delete, truncate', "
            'publish_via_partition_root = true)'
        )


def _slot_statements(name: str, slot: Any, is_new: bool) -> Iterator[str]:
    # A slot that is older than its publication cannot be read.
    if slot is not None and (is_new or slot.wal_status == 'lost'):
        yield f"SELECT pg_drop_replication_slot('{name}')"
        slot = None
    if slot is None:
        yield f"SELECT pg_create_logical_replication_slot('{name}', 'pgoutput')"


def _disk_warnings(server: Any) -> Iterator[str]:
    if server.keep == '-1':
        yield (
            'The setting max_slot_wal_keep_size is unlimited: while nobody follows, the log fills '
            "the disk of the database. Run ALTER SYSTEM SET max_slot_wal_keep_size = '10GB' and "
            'SELECT pg_reload_conf().'
        )


def _read_warnings(server: Any, found: Mapping[str, Table]) -> Iterator[str]:
    # No problem: a view may read them with the rights of its owner.
    roots = [found[name].parts[0] for name in sorted(found)]
    names = ', '.join(root.quoted for root in roots if not root.is_readable)
    if names:
        yield (
            f'The role {server.role} may not read {names}. Unless the mirror reads views instead, '
            f'an administrator runs GRANT SELECT ON {names} TO {server.role}'
        )
