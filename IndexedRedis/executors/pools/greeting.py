"""How a connection is greeted: over which protocol, with which credentials.

Rule: no error that leaves here repeats a password.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..._core.logs import logger
from ..._core.replication import QUESTION
from ..remedies import hello_refused, without_arguments

__all__ = (
    'agreeting_of_replica',
    'arenew',
    'falls_back',
    'greeting_of_replica',
    'renew',
    'without_password',
)


_READONLY = ('READONLY',)


def without_password(error: Exception, connection: Any) -> Exception:
    """Return an error of the server without the arguments that it repeats.

    A server that does not know HELLO or AUTH tells what came with it: the password.
    """
    text = without_arguments(error)
    if connection.password:
        text = text.replace(str(connection.password), '***')
    return error if text == str(error) else type(error)(text)


def falls_back(error: Exception, connection: Any, pool: Any) -> bool:
    """Have a pool speak RESP2 if the server does not know HELLO; say whether to connect again.

    RESP3, and so HELLO, is the default of redis-py 8. A protocol that the user chose stays.
    """
    options = pool.connection_kwargs
    if connection.protocol == 2 or options.get('protocol') or not hello_refused(error):
        return False
    options['protocol'] = connection.protocol = 2
    logger.info('the server of %r does not know HELLO: RESP2 is spoken', pool)
    return True


def renew(connection: Any, tokens: dict[Any, Any]) -> None:
    """Authenticate a connection by the renewed token that waits for it, if there is one.

    :param tokens: of a streaming credential provider, by connection
    """
    token = tokens.pop(connection, None)
    if token is not None:
        connection.send_command('AUTH', *_credentials(token), check_health=False)
        connection.read_response()


async def arenew(connection: Any, tokens: dict[Any, Any]) -> None:
    """As :func:`renew`, of asyncio."""
    token = tokens.pop(connection, None)
    if token is not None:
        await connection.send_command('AUTH', *_credentials(token), check_health=False)
        await connection.read_response()


def greeting_of_replica(is_clustered: bool, check: Callable[[Any], None]) -> Callable[..., None]:
    """Return the ``redis_connect_func`` of connections to a replica, for reads.

    :param is_clustered: whether it is a node of a cluster, which has to allow reads
    :param check: gets the answer to how far it is; raises if it must not be used
    """

    def greet(connection: Any) -> None:
        connection.on_connect()
        for command in (_READONLY, QUESTION) if is_clustered else (QUESTION,):
            connection.send_command(*command, check_health=False)
            reply = connection.read_response()
        check(reply)

    return greet


def agreeting_of_replica(is_clustered: bool, check: Callable[[Any], None]) -> Callable[..., Any]:
    """As :func:`greeting_of_replica`, of asyncio."""

    async def greet(connection: Any) -> None:
        await connection.on_connect()
        for command in (_READONLY, QUESTION) if is_clustered else (QUESTION,):
            await connection.send_command(*command, check_health=False)
            reply = await connection.read_response()
        check(reply)

    return greet


def _credentials(token: Any) -> tuple[Any, Any]:
    return token.try_get('oid'), token.get_value()
