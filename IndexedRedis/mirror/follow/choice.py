"""Which kind of log a database has."""

from __future__ import annotations

from sqlalchemy import Engine

from ...errors import UsageError
from .log import LogSource

__all__ = ('log_of',)


def log_of(engine: Engine) -> LogSource:
    """Return what reads the log of a database.

    :raises UsageError: if there is none
    """
    name = engine.dialect.name
    if name == 'postgresql':
        from .postgres.source import PostgresSource

        return PostgresSource()
    if name in ('mariadb', 'mysql'):
        from .mariadb import MariadbSource

        return MariadbSource()
    raise UsageError(
        f'{name} has no log of changes that can be followed. Run the mirror every few minutes '
        'instead: every=, or --every 5m.'
    )
