"""What a person can do about an error of the connection, added to its text.

Rule: the class of an error stays, and so does what the server or redis-py said; the remedy follows.
"""

from __future__ import annotations

import re
from typing import TypeVar

from redis.exceptions import (
    AuthenticationError,
    ConnectionError,
    MovedError,
    RedisError,
    ResponseError,
    TimeoutError,
)

__all__ = (
    'ALONE_REMEDY',
    'CLUSTER_REMEDY',
    'RESP2_REMEDY',
    'SENTINEL_REMEDY',
    'SERVICE_REMEDY',
    'WHERE',
    'explained',
    'hello_refused',
    'is_unsent',
    'without_arguments',
)

E = TypeVar('E', bound=Exception)

#: how to name the server, and the password
WHERE = (
    "by setDefaultRedisConnectionParams({'url': 'redis://user:password@host:port/0'}), by the "
    'variable INDEXEDREDIS_URL, or by --url of a command'
)
#: for a node of a cluster that is connected to as if it stood alone
CLUSTER_REMEDY = (
    "The server is a node of a cluster: add 'cluster': True to the connection parameters, or give "
    'the URL as redis+cluster://host:port.'
)
#: for a server that is connected to as if it were a node of a cluster
ALONE_REMEDY = (
    "The server stands alone: it is no node of a cluster. Leave out 'cluster': True; give redis:// "
    'as URL.'
)
#: for a name that the Sentinels do not know
SERVICE_REMEDY = "The Sentinels watch no service of this name. Correct 'service_name'."
#: for a server that is asked as if it were a Sentinel
SENTINEL_REMEDY = 'The server is not a Sentinel. Name the Sentinels, or give the server itself as redis://host:port.'
#: for a server that refuses HELLO
RESP2_REMEDY = (
    "The server, or a proxy in front of it, does not speak RESP3. Add 'protocol': 2 to the "
    'connection parameters.'
)
_MOVED = re.compile(r'(?:^|: -?)MOVED ')
_CROSS_SLOT = re.compile(r'CROSSSLOT|keys in request don.t hash|non local key in a cluster', re.I)
_HELLO = re.compile(r'(?:command|run the)\W+hello\b|^NOPROTO', re.IGNORECASE)
_NO_PASSWORD = ('authentication required', 'unauthenticated', 'already authenticated')


def explained(error: E) -> E:
    """Return an error of a connection, with the remedy after its text."""
    text = without_arguments(error)
    remedy = _remedy(error, text) if isinstance(error, RedisError) else ''
    if remedy and remedy not in text:
        error.args = (f'{text.rstrip(".")}. {remedy}', *error.args[1:])
    return error


def without_arguments(error: Exception) -> str:
    """Return the text of an error without the arguments of the command, which servers repeat."""
    return str(error).partition(', with args beginning with')[0]


def hello_refused(error: Exception) -> bool:
    """Whether a server refused HELLO, with which RESP3 begins."""
    return isinstance(error, ResponseError) and _HELLO.search(str(error)) is not None


def is_unsent(error: Exception) -> bool:
    """Whether nothing was sent, since there was no connection."""
    return 'connecting to' in str(error)


def _remedy(error: Exception, text: str) -> str:
    if any(said in text.lower() for said in _NO_PASSWORD):
        return f'The server wants a password, and none was given. Give it {WHERE}.'
    if isinstance(error, AuthenticationError):
        return f'The server refused the user name or the password. Give the right ones {WHERE}.'
    if hello_refused(error):
        return RESP2_REMEDY
    if isinstance(error, MovedError) or _MOVED.search(text):
        return CLUSTER_REMEDY
    if 'cluster support disabled' in text:
        return ALONE_REMEDY
    if 'SENTINEL' in text and 'unknown command' in text:
        return SENTINEL_REMEDY
    if 'No such master' in text:
        return SERVICE_REMEDY
    if _CROSS_SLOT.search(text):
        return (
            'On a cluster, one operation works on the keys of one slot. Give the models that it '
            "concerns the same tag in braces, such as KEY_NAME = '{shop}Songs'."
        )
    if isinstance(error, (ConnectionError, TimeoutError)) and is_unsent(error):
        return f'Start the server, or name another one {WHERE}.'
    return ''
