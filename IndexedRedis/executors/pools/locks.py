"""Locks that a forked process can use.

The rule: another thread of the parent may have held a lock as it forked, and that thread is not in
the child. So the child gets new locks.
"""

from __future__ import annotations

import os
import threading
from weakref import WeakSet

__all__ = ('ForkSafeLock',)

_locks: WeakSet[ForkSafeLock] = WeakSet()


class ForkSafeLock:
    """A lock that a thread may take several times, as a context manager."""

    def __init__(self) -> None:
        self.renew()
        _locks.add(self)

    def renew(self) -> None:
        """Be a lock that nobody holds."""
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *error: object) -> None:
        self._lock.release()


def _renew_all() -> None:
    for lock in [*_locks]:
        lock.renew()


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_renew_all)
