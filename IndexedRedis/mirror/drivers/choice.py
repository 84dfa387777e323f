"""Which class knows the driver of a connection."""

from __future__ import annotations

from sqlalchemy import Connection

from .driver import Driver
from .mysqlconnector import MySqlConnector
from .psycopg import Psycopg
from .psycopg2 import Psycopg2
from .sqlite import Sqlite

__all__ = ('driver_of',)

_DRIVERS: dict[str, type[Driver]] = {
    'mysqlconnector': MySqlConnector,
    'psycopg': Psycopg,
    'psycopg2': Psycopg2,
    'pysqlite': Sqlite,
}


def driver_of(connection: Connection) -> Driver:
    """Return what knows how the driver of a connection reads values."""
    return _DRIVERS.get(connection.dialect.driver, Driver)(connection)
