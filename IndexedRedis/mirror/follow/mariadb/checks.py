"""What is missing to follow tables of MariaDB.

The rule: each problem is a sentence with its remedy, and all are found at once. What the user of
the mirror may set is a statement instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from sqlalchemy import Connection, text

from ..log import Plan, Tables
from .cascades import cascades, unreadable_parents
from .schema import columns_of
from .values import decoder

__all__ = ('plan',)

_NAMES = (
    *('log_bin', 'binlog_format', 'binlog_row_image', 'log_bin_compress'),
    *('log_slave_updates', 'wsrep_on'),
)
_VARIABLES = f'SHOW GLOBAL VARIABLES WHERE Variable_name IN {_NAMES}'
_RIGHTS = re.compile(r'GRANT (.+?) ON \*\.\* TO ')
_ALL = 'ALL PRIVILEGES'
_MAY_SET = frozenset({'BINLOG ADMIN', 'SUPER', _ALL})
_MAY_SHOW = frozenset({'BINLOG MONITOR', 'REPLICATION CLIENT', 'SUPER', _ALL})
_MAY_READ = frozenset({'REPLICATION SLAVE', _ALL})
# Rows with these have all columns, or all that changed.
_IMAGES = ('FULL', 'FULL_NODUP', 'NOBLOB')
_ENGINE = text(
    'SELECT engine, table_type FROM information_schema.tables'
    ' WHERE table_schema = :schema AND table_name = :table'
)
_EVERY = 'mirror it by --every, which reads no log.'


def plan(connection: Connection, tables: Tables) -> Plan:
    """Return what is missing to follow these tables."""
    if not getattr(connection.dialect, 'is_mariadb', False):
        problem = (
            'The server is MySQL, which cannot say which commits a snapshot shows unless all '
            f'writers are locked out: {_EVERY}'
        )
        return Plan([problem], [])
    settings = _pairs(connection, _VARIABLES)
    rights = _rights(connection)
    wanted = [*_of_settings(settings, _covered(connection, tables))]
    may_set = bool(rights & _MAY_SET)
    problems = [
        *_of_server(connection, settings),
        *(text for text, statement in wanted if not (statement and may_set)),
        *_of_rights(connection, rights),
    ]
    if rights & _MAY_SHOW:
        problems += _of_filters(connection, tables)
    for table, columns in tables.items():
        problems += _of_table(connection, table, columns)
    problems += [
        f'{parent}: a followed table refers to it by a foreign key that changes rows, and the '
        'user of the mirror may not see its own foreign keys. GRANT SELECT on it.'
        for parent in unreadable_parents(connection, tables)
        if parent not in tables
    ]
    statements = [statement for _, statement in wanted if statement and may_set]
    return Plan(problems, statements, [*_of_cascades(connection, tables)])


def _pairs(connection: Connection, statement: str) -> dict[str, str]:
    rows = connection.exec_driver_sql(statement)
    return {str(row[0]).lower(): str(row[1]) for row in rows}


def _rights(connection: Connection) -> frozenset[str]:
    """Return the rights on the whole server."""
    found: set[str] = set()
    for (grant,) in connection.exec_driver_sql('SHOW GRANTS'):
        if match := _RIGHTS.match(str(grant)):
            found.update(match[1].split(', '))
    return frozenset(found)


def _of_server(connection: Connection, settings: Mapping[str, str]) -> Iterator[str]:
    if settings.get('log_bin') != 'ON':
        yield (
            'The server writes no binlog. Set log_bin, binlog_format=ROW and a server_id in its '
            'configuration, and start it again.'
        )
    if settings.get('wsrep_on') == 'ON':
        yield f'The server is part of a Galera cluster, which was not tried: {_EVERY}'
    running = _pairs(connection, "SHOW GLOBAL STATUS LIKE 'slaves_running'")
    if settings.get('log_slave_updates') != 'ON' and running.get('slaves_running', '0') != '0':
        yield (
            'The server is a replica that writes nothing of its primary to its own binlog. Follow '
            'the primary, or set log_slave_updates in its configuration and start it again.'
        )


def _of_settings(settings: Mapping[str, str], covered: bool) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with settings, and the statement that helps."""
    if settings.get('log_bin') != 'ON':
        return
    if settings.get('binlog_format') != 'ROW':
        yield _setting(settings, 'binlog_format', 'ROW', 'the binlog has statements without rows')
    if settings.get('binlog_row_image', 'FULL') not in _IMAGES and not covered:
        yield _setting(
            settings, 'binlog_row_image', 'FULL', 'the binlog has only parts of the wanted columns'
        )
    if settings.get('log_bin_compress', 'OFF') == 'ON':
        yield _setting(settings, 'log_bin_compress', 'OFF', 'compressed events are not read')


def _setting(settings: Mapping[str, str], name: str, value: str, why: str) -> tuple[str, str]:
    statement = f'SET GLOBAL {name} = {value}'
    problem = (
        f'{name} is {settings[name]}, so {why}. Set {name}={value} in the configuration of the '
        f'server; until its next start, {statement} by a user with the right BINLOG ADMIN does it '
        'for new connections.'
    )
    return problem, statement


def _of_rights(connection: Connection, rights: frozenset[str]) -> Iterator[str]:
    lacking = [
        name
        for name, enough in (('REPLICATION SLAVE', _MAY_READ), ('BINLOG MONITOR', _MAY_SHOW))
        if not rights & enough
    ]
    if lacking:
        user = str(connection.exec_driver_sql('SELECT CURRENT_USER()').scalar())
        name, _, host = user.rpartition('@')
        yield (
            f'The user {user} may not read the binlog. An administrator runs GRANT '
            f"{', '.join(lacking)} ON *.* TO '{name}'@'{host}' (before MariaDB 10.5, "
            'BINLOG MONITOR is called REPLICATION CLIENT).'
        )


def _of_filters(connection: Connection, tables: Tables) -> Iterator[str]:
    status = connection.exec_driver_sql('SHOW MASTER STATUS').first()
    if status is None:
        return
    only, never = (set(filter(None, str(names or '').split(','))) for names in status[2:4])
    for schema in sorted({table.partition('.')[0] for table in tables}):
        if (only and schema not in only) or schema in never:
            yield (
                f'The server writes no changes of the database {schema} to its binlog. Change '
                'binlog_do_db or binlog_ignore_db in its configuration, and start it again.'
            )


def _of_table(connection: Connection, table: str, wanted: Iterable[str]) -> Iterator[str]:
    schema, _, name = table.partition('.')
    found = connection.execute(_ENGINE, {'schema': schema, 'table': name}).first()
    if found is None:
        yield f'{table}: there is no such table. Correct its name, or GRANT SELECT on it.'
        return
    if found[0] != 'InnoDB':
        yield (
            f'{table}: its engine {found[0]} has no transactions, so a snapshot shows any state '
            f'of it. ALTER TABLE {name} ENGINE=InnoDB, or {_EVERY}'
        )
    columns = {column.name.lower(): column for column in columns_of(connection, table)}
    for each in wanted:
        column = columns.get(each.lower())
        if column is None:
            yield f'{table}.{each}: there is no such column. Correct its name.'
        elif decoder(column) is None:
            charset = f' in the character set {column.charset}' if column.charset else ''
            yield (
                f'{table}.{each}: a value of the type {column.full_type}{charset} is not read '
                'from the binlog exactly. Use a key of another type, such as a number or utf8mb4.'
            )


def _of_cascades(connection: Connection, tables: Tables) -> Iterator[str]:
    for parent, cascade in sorted(cascades(connection, tables).items()):
        changes = (('deleted', cascade.on_delete), ('given another key', cascade.on_update))
        for change, children in changes:
            if children:
                yield (
                    f'{parent}: where a row is {change}, foreign keys change rows of '
                    f'{", ".join(sorted(children))}, and the binlog does not say which, so all '
                    'data is replaced. Change these rows by statements of their own first, and '
                    'have ON DELETE RESTRICT and ON UPDATE RESTRICT.'
                )


def _covered(connection: Connection, tables: Tables) -> bool:
    """Return whether all wanted columns are parts of primary keys, which every row has."""
    for table, wanted in tables.items():
        primary = {each.name.lower() for each in columns_of(connection, table) if each.is_primary}
        if not primary.issuperset(name.lower() for name in wanted):
            return False
    return True
