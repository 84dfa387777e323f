"""Whether objects and what they link to were read from one data set.

A reset that replaces rows in place writes the same swap marker for all of its models in one moment.
A call that reads several models reads the marker of each along with its first rows, and all of them
again along with the last. If one has changed, the call reads everything anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from ..flows import Batch, Flow
from ..overlap import counted, together

__all__ = ('SwapMarkers',)

T = TypeVar('T')


class SwapMarkers:
    """The swap markers that one call has read, by server and key."""

    def __init__(self) -> None:
        self._first: dict[Any, dict[bytes, Any]] = {}
        #: whether one has changed since it was read first
        self.changed = False

    def around(self, server: Any, keys: Sequence[bytes], flows: Sequence[Flow[T]]) -> Flow[list[T]]:
        """Run flows that read from a server; return their results.

        :param server: any object that stands for the server
        :param keys: the swap markers of the models that the flows read
        """
        seen = self._first.setdefault(id(server), {})
        again = list(dict.fromkeys([*seen, *keys]))
        trips: list[None] = []
        # Both in the trip of the rows: the replies come in the order of the commands.
        reads: list[Flow[Any]] = [_get(keys), *flows, _get(again)]
        before, *results, after = yield from counted(together(reads), trips)
        if len(trips) > 1:
            after = yield from _get(again)
        for key, marker in zip(keys, before, strict=True):
            self.changed |= seen.setdefault(key, marker) != marker
        self.changed |= [seen[key] for key in again] != after
        return results


def _get(keys: Sequence[bytes]) -> Flow[list[Any]]:
    replies: list[Any] = yield Batch([('GET', key) for key in keys], shared=True)
    return replies
