"""A server that others use too.

The rule: data is deleted only in databases that were empty and still hold our mark. The mark is a
key, set by the script that finds the database empty, so two test runs never share one. A killed run
leaves its mark; the next run refuses the database and says how to go on.
"""

from __future__ import annotations

import contextlib
import os
import platform
import threading
import uuid
from collections.abc import Iterator
from typing import Any

from ..connections.params import without_url
from .base import NoServerError, ServerForTests

__all__ = ('SharedServer',)

MARK = 'indexedredis-tests'

# Empty a database with our mark, or mark an empty one.
# KEYS: mark.
# ARGV: token.
# Returns 1; {number of keys, mark of another run} if the database is not ours.
# Bounded: the data of the tests, which FLUSHDB deletes.
TAKE = """
local mark = redis.call('TYPE', KEYS[1]).ok == 'string' and redis.call('GET', KEYS[1])
if mark == ARGV[1] then redis.call('FLUSHDB')
elseif redis.call('DBSIZE') > 0 then return {redis.call('DBSIZE'), mark or ''} end
redis.call('SET', KEYS[1], ARGV[1])
return 1
"""
# Empty a database with our mark.
# KEYS: mark.
# ARGV: token.
# Returns nil.
# Bounded: the data of the tests, which FLUSHDB deletes.
GIVE_BACK = """
if redis.call('TYPE', KEYS[1]).ok == 'string' and redis.call('GET', KEYS[1]) == ARGV[1] then
    redis.call('FLUSHDB')
end
"""


class SharedServer(ServerForTests):
    """The server of a URL. Tests use its database and the next ones.

    Each worker of pytest-xdist needs one, and each location that models name.

    :raises NoServerError: if the database is not empty, or the server does not answer
    """

    def __init__(self, url: str) -> None:
        super().__init__(without_url({'url': url}), self._give_back)
        self._first = int(self._params.get('db') or 0)
        self._token = f'{uuid.uuid4().hex} of process {os.getpid()} on {platform.node()}'
        self._taken: set[int] = set()
        self._lock = threading.Lock()
        self.params_of(0)

    def params_of(self, number: int) -> dict[str, Any]:
        """Return the parameters of a further database, which is marked at its first use.

        :raises NoServerError: if it is not empty
        """
        worker, workers = _worker()
        database = self._first + worker + workers * number
        with self._lock:
            if database not in self._taken:
                self._take(database)
                self._taken.add(database)
        return {**self._params, 'db': database}

    def clear(self) -> None:
        """Delete the data of the tests, in databases that hold our mark."""
        for database in sorted(self._taken):
            self._take(database)

    def _take(self, database: int) -> None:
        with self._client(database) as client:
            found = client.eval(TAKE, 1, MARK, self._token)
        if found != 1:
            raise NoServerError(self._refusal(database, *found))

    def _give_back(self) -> None:
        for database in sorted(self._taken):
            with self._client(database) as client:
                client.eval(GIVE_BACK, 1, MARK, self._token)
        self._taken.clear()

    def _refusal(self, database: int, keys: int, mark: bytes) -> str:
        what = f'database {database} of {self._name()}'
        if database in self._taken:
            return (
                f'{what} lost the mark of this test run and holds {keys} keys; nothing was '
                'deleted. Tests must not call FLUSHDB or FLUSHALL: each test starts on an empty '
                f'database. To go on: redis-cli -n {database} FLUSHDB'
            )
        if not mark:
            return (
                f'{what} is not empty: it has {keys} keys, and tests delete all data. Nothing was '
                'deleted. Let INDEXEDREDIS_TEST_URL name an empty database, or unset it to start '
                'a server.'
            )
        owner = mark.decode('utf-8', 'replace').partition(' of ')[2]
        return (
            f'{what} is in use by another test run, {owner}. If that run was killed, delete its '
            f"data: 'redis-cli -n {database} FLUSHDB'. Otherwise name another database in "
            'INDEXEDREDIS_TEST_URL.'
        )

    def _name(self) -> str:
        """Return where the server is, without its password."""
        params = self._params
        port = f'{params.get("host", "localhost")}:{params.get("port", 6379)}'
        return str(params.get('unix_socket_path', port))

    @contextlib.contextmanager
    def _client(self, database: int) -> Iterator[Any]:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        quick = {'socket_timeout': 5, 'socket_connect_timeout': 5, 'retry': Retry(NoBackoff(), 0)}
        try:
            with contextlib.closing(
                redis.Redis(**{**quick, **self._params, 'db': database})
            ) as client:
                yield client
        except redis.RedisError as error:
            raise NoServerError(
                f'database {database} of {self._name()} cannot be used: {error}. '
                'INDEXEDREDIS_TEST_URL names the first database; each worker of pytest-xdist needs '
                'one.'
            ) from error


def _worker() -> tuple[int, int]:
    """Return the number of this worker of pytest-xdist, and how many there are."""
    name = os.environ.get('PYTEST_XDIST_WORKER', '')
    number = name.removeprefix('gw')
    workers = int(os.environ.get('PYTEST_XDIST_WORKER_COUNT') or 1)
    return (int(number), workers) if number.isdigit() else (0, 1)
