"""The lock of a run: one run of a model's mirror at a time, on whatever machines.

The rule: a lock is a key in Redis with the run's token and a short time to live. A thread extends
it while the process lives. A run that lost a lock at any moment changes nothing: it stops at its
next chunk, and the script of the swap checks the token (``ResetObserver.fence``).
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from time import monotonic
from typing import Any

import redis

from .. import INDEXED_REDIS_PREFIX
from ..errors import MirrorRunningError, ResetLostError
from ..managers.manager import send
from .report import logger

__all__ = ('MirrorLock', 'lock_name', 'only_run')

LOCK_SECONDS = 30.0

# Extend or delete the lock, if it is ours.
# KEYS: lock.
# ARGV: token, command, its arguments after the key.
# Returns the reply to the command; 0 if the lock is not ours.
# Bounded: two commands.
IF_OURS = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call(ARGV[2], KEYS[1], unpack(ARGV, 3))
"""


class MirrorLock:
    """The locks of all models of one run; :func:`only_run` makes it.

    :param models: the models
    :param seconds: how long the locks live without being extended
    """

    def __init__(self, models: Iterable[Any], seconds: float) -> None:
        self.token = uuid.uuid4().hex.encode('ascii')
        self._models, self.seconds = [*models], seconds
        self._lost = ''
        self._held_until = monotonic() + seconds

    def acquire(self, model: Any) -> None:
        """Take the lock of a model.

        :raises MirrorRunningError: if another run has it
        """
        name = lock_name(model)
        took = send(model, 'SET', name, self.token, 'NX', 'PX', self._milliseconds())
        # The SET may have been sent twice: then the first one took the lock.
        if not took and send(model, 'GET', name) != self.token:
            raise MirrorRunningError(
                f'{model.__name__}: another run or a follower is at work. Nothing was changed. '
                f'(The lock of a killed run ends within {LOCK_SECONDS:.0f} s.)'
            )

    def extend(self) -> None:
        """Extend all locks; a lost one ends the run at its next :meth:`check`."""
        begun = monotonic()
        with suppress(redis.RedisError):
            for model in self._models:
                if not self._if_ours(model, 'PEXPIRE', self._milliseconds()):
                    self._lost = f'the key {lock_name(model)} expired or was deleted'
                    logger.warning('%s: the mirror lock is lost', model.__name__)
            self._held_until = begun + self.seconds

    def release(self, model: Any) -> None:
        """Delete the lock of a model if it is ours; otherwise it expires by itself."""
        with suppress(redis.RedisError):
            self._if_ours(model, 'DEL')

    def check(self) -> None:
        """Check that the run still has all its locks, as far as this process knows.

        :raises ResetLostError: if it lost one
        """
        if monotonic() > self._held_until:
            self._lost = f'it could not extend the lock for {self.seconds:.0f} s'
        if self._lost:
            names = ', '.join(model.__name__ for model in self._models)
            raise ResetLostError(
                f'{names}: this run lost the mirror lock, so another run could begin; '
                f'{self._lost}. Nothing was changed; run it again.'
            )

    def _milliseconds(self) -> int:
        return int(self.seconds * 1000)

    def _if_ours(self, model: Any, *command: Any) -> Any:
        return send(model, 'EVAL', IF_OURS, 1, lock_name(model), self.token, *command)


@contextmanager
def only_run(models: Iterable[Any], seconds: float = 0) -> Iterator[MirrorLock]:
    """Hold the lock of each model.

    :param seconds: how long the locks of a killed run stay; 0: ``LOCK_SECONDS``
    :raises MirrorRunningError: if another run has one
    """
    # All runs take the locks in one order, so that no two runs stop each other.
    ordered = sorted(models, key=lambda model: str(model.KEY_NAME))
    lock = MirrorLock(ordered, seconds or LOCK_SECONDS)
    with ExitStack() as stack:
        for model in lock._models:
            lock.acquire(model)
            stack.callback(lock.release, model)
        stack.enter_context(_extended(lock))
        yield lock


def lock_name(model: Any) -> str:
    """Return the key of a model's mirror lock, which ``ResetObserver.fence`` is compared with."""
    return f'{INDEXED_REDIS_PREFIX}{model.KEY_NAME}:tmp:mirror'


@contextmanager
def _extended(lock: MirrorLock) -> Iterator[None]:
    """Extend the locks in a thread while the block runs."""
    over = threading.Event()

    def extend() -> None:
        while not over.wait(lock.seconds / 4):
            lock.extend()

    thread = threading.Thread(target=extend, name='IndexedRedis mirror lock', daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
