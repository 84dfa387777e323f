"""One conversation asks, and the others wait for what it learns."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

from ..exchange import Conversation

__all__ = ('Turn',)

# A node that is asked has one second to be connected to, and one to answer.
_TURN_SECONDS = 3.0
# The naps of those who wait: short at first, since most answers come soon.
_NAP_SECONDS = 0.001
_LONGEST_NAP_SECONDS = 0.02


class Turn:
    """Lets one conversation ask, while the others wait for its answer.

    A thousand tasks would ask a thousand times when a primary is lost. A turn ends by itself: who
    took it may be gone, as the other threads of a process that forks.
    """

    def __init__(self) -> None:
        self._ends = 0.0

    def is_taken(self) -> bool:
        """Whether a conversation is asking."""
        return monotonic() < self._ends

    def take(self) -> None:
        """Have the others wait."""
        self._ends = monotonic() + _TURN_SECONDS

    def give_back(self) -> None:
        """Have the others go on."""
        self._ends = 0.0

    def ask(self, question: Callable[[], Conversation[Any]]) -> Conversation[bool]:
        """Ask, or wait until the conversation that is asking has its answer; return which.

        :param question: returns the conversation that asks
        """
        if not self.is_taken():
            self.take()
            try:
                yield from question()
            finally:
                self.give_back()
            return True
        nap = _NAP_SECONDS
        while self.is_taken():
            yield ('sleep', nap)
            nap = min(2 * nap, _LONGEST_NAP_SECONDS)
        return False
