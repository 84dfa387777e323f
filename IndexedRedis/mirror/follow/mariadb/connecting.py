"""Connecting to the server of an engine by pymysql, whatever driver the engine has.

The rule: an error that another connection may not have is a broken log; all others mean that the
log cannot be read as it is. No message has a password, since drivers put none into theirs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError

from ....errors import MirrorError, MissingExtraError
from ..log import LogBrokenError, LogLostError

__all__ = ('as_log_errors', 'of_server', 'pymysql', 'settings_of')

# Error 1236: the server cannot send the binlog from there. The others: the user may not read it.
_GONE = 1236
_RIGHTS = (1044, 1045, 1142, 1227, 1698)
# What pymysql needs of the settings of a driver; other drivers have the same names for them. The
# binlog is that of all databases.
_NAMES = (
    *('host', 'port', 'user', 'password', 'passwd', 'unix_socket'),
    *('ssl', 'ssl_ca', 'ssl_cert', 'ssl_key', 'ssl_key_password', 'ssl_disabled'),
    *('ssl_verify_cert', 'ssl_verify_identity', 'connect_timeout', 'bind_address'),
    *('read_default_file', 'read_default_group', 'server_public_key', 'auth_plugin_map'),
)
_RENAMED = {'passwd': 'password'}


def pymysql() -> Any:
    """Return the driver that reads the binlog.

    :raises MissingExtraError: if it is not installed
    """
    try:
        import pymysql
    except ImportError:
        raise MissingExtraError('mysql-follow', 'following MariaDB') from None
    return pymysql


def settings_of(engine: Engine) -> dict[str, Any]:
    """Return the settings of a connection of an engine: those of its URL, of ``connect_args``, and
    what its listeners of ``do_connect`` add.

    :raises LogLostError: if the engine has a creator of its own
    """
    seen: dict[str, Any] = {}

    def note(_dialect: Any, _record: Any, _args: Any, settings: dict[str, Any]) -> None:
        seen.update(settings)

    # Only a connection that is made asks the listeners.
    event.listen(engine, 'do_connect', note)
    pool = engine.pool.recreate()
    try:
        pool.connect().close()
    except engine.dialect.loaded_dbapi.Error as error:
        raise _of_driver(error) from error
    finally:
        pool.dispose()
        event.remove(engine, 'do_connect', note)
    if not seen:
        raise LogLostError(
            'The Engine of the mirror has a creator of its own, so the log cannot connect as it '
            'does. Give a URL, or create_engine(url, connect_args=...).'
        )
    return {_RENAMED.get(name, name): seen[name] for name in _NAMES if seen.get(name) is not None}


def of_server(number: int, text: str) -> MirrorError:
    """Return the error that a number of the server means."""
    text = text.rstrip('.')
    if number == _GONE:
        return LogLostError(
            f'MariaDB cannot send its binlog from here on: {text}. All data has to be '
            'replaced; a longer expire_logs_days keeps the binlog for longer breaks.'
        )
    if number in _RIGHTS:
        return LogLostError(
            f'MariaDB refuses to show its binlog: {text}. GRANT REPLICATION SLAVE, BINLOG MONITOR '
            'ON *.* TO the user of the mirror.'
        )
    return LogBrokenError(f'The connection to MariaDB broke: {text} (error {number}).')


@contextmanager
def as_log_errors() -> Iterator[None]:
    """Turn errors of drivers, and of sockets, into those of a log."""
    try:
        yield
    except MirrorError:
        raise
    except DBAPIError as error:
        raise _of_driver(error.orig) from error
    except OSError as error:
        raise LogBrokenError(f'The connection to MariaDB broke: {error}.') from error
    except Exception as error:
        if not _is_of_pymysql(error):
            raise
        raise _of_driver(error) from error


def _of_driver(error: BaseException | None) -> MirrorError:
    """Return the error that one of a driver means."""
    arguments = getattr(error, 'args', ())
    number = getattr(error, 'errno', None) or (arguments[0] if arguments else 0)
    text = getattr(error, 'msg', None) or (arguments[-1] if arguments else error)
    return of_server(number if isinstance(number, int) else 0, str(text))


def _is_of_pymysql(error: Exception) -> bool:
    driver = sys.modules.get('pymysql')
    return driver is not None and isinstance(error, driver.MySQLError)
