"""Limits how often something is done."""

from __future__ import annotations

import time

__all__ = ('Clock',)


class Clock:
    """Tells when it is time again.

    :param seconds: the time between two moments
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next = 0.0

    def is_due(self) -> bool:
        """Whether it is time. If so, the caller has to do it."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + self._seconds
        return True
