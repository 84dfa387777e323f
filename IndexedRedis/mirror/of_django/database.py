"""The database of a Django project as an engine of SQLAlchemy, from ``settings.DATABASES``."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from ...errors import UsageError

__all__ = ('engine_of',)

# For each of Django's databases: the dialect, and its drivers, the first one that is installed.
_DRIVERS = {
    'sqlite': ('sqlite', ('sqlite3',)),
    'postgresql': ('postgresql', ('psycopg', 'psycopg2')),
    'mysql': ('mysql', ('MySQLdb', 'pymysql')),
}
_NAMES = {'sqlite3': 'pysqlite', 'MySQLdb': 'mysqldb'}
# OPTIONS that Django takes for itself.
_OF_DJANGO = {
    *('init_command', 'transaction_mode', 'isolation_level', 'assume_role', 'pool'),
    *('server_side_binding', 'sql_mode'),
}


def engine_of(using: str) -> sa.Engine:
    """Return an engine for a database of ``DATABASES``. A run opens one connection, and closes it.

    :raises UsageError: if this library has no driver for it
    """
    from django.db import connections

    connection: Any = connections[using]
    settings = connection.settings_dict
    if connection.vendor not in _DRIVERS:
        raise UsageError(
            f'DATABASES[{using!r}] is of {connection.vendor}, for which Mirror.of has no driver. '
            'Write Mirror(create_engine(...), {...}).'
        )
    dialect, drivers = _DRIVERS[connection.vendor]
    driver = next((each for each in drivers if find_spec(each)), drivers[0])
    options = {
        name: value
        for name, value in (settings.get('OPTIONS') or {}).items()
        if name not in _OF_DJANGO
    }
    name = str(settings['NAME'] or '') or None
    if dialect == 'sqlite' and str(name).startswith('file:'):  # as Django's test runner has it
        options['uri'] = True
    host = settings.get('HOST') or None
    if dialect == 'mysql' and host and host.startswith('/'):  # Django takes it for a socket
        host, options['unix_socket'] = None, host
    url = sa.URL.create(
        f'{dialect}+{_NAMES.get(driver, driver)}',
        settings.get('USER') or None,
        settings.get('PASSWORD') or None,
        host,
        int(settings['PORT']) if settings.get('PORT') else None,
        name,
    )
    return sa.create_engine(url, connect_args=options, poolclass=NullPool)
