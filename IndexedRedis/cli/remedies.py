"""What a person at a shell can do about an error of the connection.

The rule: errors of the library name its functions and parameters; a command names its options.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..connections import remedies
from ..errors import IndexedRedisError

__all__ = ('for_shell',)

VARIABLE = 'in the variable INDEXEDREDIS_URL'
SERVER = f'with --url redis://host:port/0 or {VARIABLE}'
PASSWORD = (
    f'{VARIABLE}, as redis://user:password@host:port/0, or with --url, which everybody on the '
    'machine can read'
)
# What the library says, and what a command says instead.
REMEDIES = {
    f'name another one {remedies.WHERE}': f'name another one {SERVER}',
    remedies.WHERE: PASSWORD,
    remedies.CLUSTER_REMEDY: 'The server is a node of a cluster: give --url '
    'redis+cluster://host:port.',
    remedies.ALONE_REMEDY: 'The server stands alone: give --url redis://host:port/0.',
    remedies.SENTINEL_REMEDY: 'The server is not a Sentinel: give --url redis://host:port/0, or '
    'the Sentinels as --url sentinel://host:port,host:port/name.',
    remedies.SERVICE_REMEDY: 'The Sentinels watch no service of this name. Correct the name in '
    '--url sentinel://host:port/name.',
    remedies.RESP2_REMEDY: 'The server, or a proxy in front of it, does not speak RESP3. End --url '
    'with ?protocol=2.',
}
# Drivers of SQL databases that a URL may name, and how to get them.
DRIVERS = {
    'psycopg': "pip install 'psycopg[binary]'",
    'psycopg2': "pip install 'psycopg[binary]', and begin the URL with postgresql+psycopg://",
    'pymysql': 'pip install pymysql',
    'MySQLdb': 'pip install pymysql, and begin the URL with mysql+pymysql:// or mariadb+pymysql://',
}
# Connection parameters of a model that --url does not change.
OWN = {'url', 'host', 'port', 'unix_socket_path', 'startup_nodes', 'sentinels', 'connection_pool'}


def for_shell(error: Exception, models: Iterable[Any]) -> str:
    """Return the text of an error, with the remedy of a command.

    Texts of other libraries become one line. Those of this one have a line for each problem.

    :param models: the models that the command uses
    """
    own = isinstance(error, IndexedRedisError)
    text = (str(error) if own else ' '.join(str(error).split())) or type(error).__name__
    if isinstance(error, ModuleNotFoundError) and error.name in DRIVERS:
        return f'{text}. The URL of the database needs it: {DRIVERS[error.name]}'
    for said, instead in REMEDIES.items():
        if said in text:
            given = ', '.join(model.__name__ for model in models if _has_own_server(model))
            note = f' {given}: --url does not change its REDIS_CONNECTION_PARAMS.' if given else ''
            return text.replace(said, instead) + note
    return text


def _has_own_server(model: Any) -> bool:
    return model._connection is not None or not OWN.isdisjoint(model.REDIS_CONNECTION_PARAMS)
