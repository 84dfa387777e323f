"""At most one run at a time: a second one ends at once instead of waiting.

A key in Redis for each model, not a file, since runs may come from several machines. It expires by
itself soon after a run was killed; as long as one is alive, a thread prolongs it, however long a
select takes. Should that fail, the locks of the resets still keep two runs apart.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import redis

from .. import INDEXED_REDIS_PREFIX, getRedisPool
from ..errors import MirrorRunningError

__all__ = ('only_run',)

SECONDS = 30.0


@contextmanager
def only_run(models: Iterable[Any]) -> Iterator[None]:
    """Hold the lock of each model.

    :raises MirrorRunningError: if another run has one
    """
    with ExitStack() as stack:
        locks = []
        for model in sorted(models, key=lambda model: str(model.KEY_NAME)):
            lock = _lock(model)
            if not lock.acquire(blocking=False):
                raise MirrorRunningError(
                    f'{model.__name__}: another mirror is running. Nothing was done. (The lock of '
                    f'one that was killed ends within {SECONDS:.0f} s.)'
                )
            locks.append(lock)
            stack.callback(_release, lock)
        stack.enter_context(_prolonged(locks))
        yield


def _lock(model: Any) -> Any:
    pool = getattr(model._connection, 'connection_pool', None)
    client = redis.Redis(connection_pool=pool or getRedisPool(model.REDIS_CONNECTION_PARAMS))
    name = f'{INDEXED_REDIS_PREFIX}{model.KEY_NAME}:tmp:mirror'
    return client.lock(name, timeout=SECONDS, thread_local=False)


def _release(lock: Any) -> None:
    with suppress(redis.RedisError):  # it ends by itself
        lock.release()


@contextmanager
def _prolonged(locks: list[Any]) -> Iterator[None]:
    over = threading.Event()

    def prolong() -> None:
        while not over.wait(SECONDS / 4):
            for lock in locks:
                with suppress(redis.RedisError):
                    lock.reacquire()

    thread = threading.Thread(target=prolong, name='IndexedRedis mirror lock', daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
