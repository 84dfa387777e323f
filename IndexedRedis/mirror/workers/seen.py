"""The keys of one model's rows that all workers read, to find two rows with one key.

The rule: each worker compares the keys of its own rows; this compares those of different workers.
Keys that are cut into ranges of integers need no comparing: equal ones are in one range.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..guards import EXAMPLES
from ..source import Source

__all__ = ('SeenKeys',)


class SeenKeys:
    """The keys so far, and which worker read them.

    :param source: the select of the model
    """

    def __init__(self, source: Source) -> None:
        self._name = source.name
        self._keys: dict[Any, int] = {}
        # A link in the key stores a pk, which is not comparable with the key in SQL.
        linked = not source.links.keys().isdisjoint(source.key_fields)
        self._stored: dict[Any, int] = {} if linked else self._keys

    def problems(self, worker: int, keys: Iterable[Any], stored: Iterable[Any]) -> list[str]:
        """Add keys of a worker; return what is wrong with them, the first ones only.

        :param keys: as SQL has them
        :param stored: as the model stores them, where that is different
        """
        found = [*self._again(self._keys, worker, keys), *self._again(self._stored, worker, stored)]
        shown = ', '.join(map(repr, found[:EXAMPLES]))
        return (
            [
                f'{self._name}: rows that different workers read have the same key, as the model '
                f'compares it: {shown}. Make the keys unique; workers=1 can leave such rows out '
                '(skipBad).'
            ]
            if found
            else []
        )

    def _again(self, known: dict[Any, int], worker: int, keys: Iterable[Any]) -> Iterator[Any]:
        for key in keys:
            if known.setdefault(key, worker) != worker:
                yield key
