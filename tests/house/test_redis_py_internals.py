"""redis-py's private attributes. The rule: only `executors/pools` uses any, each is listed here
with what breaks without it, and it is there in the version that is installed."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import redis.asyncio

import IndexedRedis as IR
from IndexedRedis.managers.manager import async_executor_of, executor_of

HOME = Path(IR.__file__).parent
FENCE = HOME / 'executors' / 'pools'
ALWAYS, NEWER = (5, 0), (7, 1)  # the first version that has it

# Whose attribute it is, since which version, and what breaks without it.
PRIVATE = {
    '_sock': (
        ['connection', 'parser'],
        ALWAYS,
        'closed connections are lent, and caches outlive theirs',
    ),
    '_writer': (['aconnection'], ALWAYS, 'cancelled tasks leave connections open'),
    '_reader': (
        ['aconnection', 'parser', 'aparser'],
        ALWAYS,
        'each reply takes 2 us (asyncio: 5), and a connection that was closed at once seems open',
    ),
    '_parser': (['connection', 'aconnection'], ALWAYS, 'as _reader; no invalidation is noticed'),
    '_socket_timeout': (['parser'], ALWAYS, 'an answer that trickles in never times out'),
    '_HiredisParser': (['parsers'], ALWAYS, 'as _reader and _socket_timeout'),
    '_AsyncHiredisParser': (['parsers'], ALWAYS, 'as _reader'),
    '_hiredis_PushNotificationType': (
        ['parser', 'aparser'],
        NEWER,
        'messages over RESP3 are taken for replies; before, redis-py reads all of these itself',
    ),
    '_checkpid': (['pool'], ALWAYS, 'a forked child uses the sockets of its parent'),
    '_connections': (['pool'], ALWAYS, 'connections whose borrower is gone stay open'),
    '_lock': (
        ['pool'],
        NEWER,
        'connections are lent while redis-py moves them; before, it moves none',
    ),
    '_in_maintenance': (['pool'], NEWER, 'as _lock'),
    '_should_reconnect': (
        ['connection', 'aconnection'],
        NEWER,
        'connections to a server that moved are lent again; before, redis-py moves none',
    ),
    '_available_connections': (
        ['apool', 'brought'],
        ALWAYS,
        'no connection is lent; one of a pool that a user brought may give replies of others',
    ),
    '_in_use_connections': (['apool'], ALWAYS, 'aclose() leaves connections in use open'),
    '_condition': (
        ['abrought'],
        NEWER,
        'before Python 3.13, a cancelled task may let others wait; before, redis-py has a queue',
    ),
}


@pytest.fixture
def owners(make_model, redis_params):
    """Objects of redis-py that are in use, by the names above."""
    model = make_model(['n'], CLIENT_SIDE_CACHE=0)
    model.objects.count()
    pool = executor_of(model).pool
    connection = pool.pool.queue[-1]

    async def main():
        await model.objects.acount()
        apool = async_executor_of(model).pool
        (aconnection,) = apool._available_connections
        found = {
            'pool': pool,
            'connection': connection,
            'parser': connection._parser,
            'apool': apool,
            'aconnection': aconnection,
            'aparser': aconnection._parser,
            'parsers': __import__('redis._parsers.hiredis')._parsers.hiredis,
            'brought': redis.ConnectionPool(),
            'abrought': redis.asyncio.BlockingConnectionPool(),
        }
        missing = [name for name in PRIVATE for what in missing_of(found, name)]
        await IR.aclose()
        return missing

    return main


def missing_of(found, name) -> Iterator[str]:
    owners, since, _ = PRIVATE[name]
    if since <= redis.VERSION:
        yield from (owner for owner in owners if not hasattr(found[owner], name))


def test_each_is_there(owners):
    assert asyncio.run(owners()) == []


def private_names(path: Path) -> set[str]:
    """Private attributes that a file reads or names, but for those that it defines itself."""
    tree = ast.parse(path.read_text('utf-8'))
    used, own = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            (own if _is_of_self(node) else used).add(node.attr)
            if isinstance(node.ctx, ast.Load):
                used.add(node.attr)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            own.add(node.name)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            used.add(node.value)
    return {name for name in used - own if name[:1] == '_' and name[:2] != '__' and name[1:2]}


def _is_of_self(node: ast.Attribute) -> bool:
    """Whether an attribute is given to `self`."""
    of_self = isinstance(node.value, ast.Name) and node.value.id == 'self'
    return of_self and isinstance(node.ctx, ast.Store)


def test_the_list_is_complete():
    used = set().union(*map(private_names, FENCE.glob('*.py')))
    assert used == set(PRIVATE)


def test_nobody_else_uses_any():
    others = [path for path in HOME.rglob('*.py') if FENCE not in path.parents]
    found = {path: private_names(path) & set(PRIVATE) for path in others}
    found[HOME / 'mirror' / 'follow' / 'mariadb' / 'stream.py'].discard('_sock')  # that of pymysql
    assert {path: names for path, names in found.items() if names} == {}
