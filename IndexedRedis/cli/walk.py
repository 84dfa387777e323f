"""All pks of a model, page by page.

The rule: no command takes longer than a page: ``SMEMBERS`` of 300,000 pks would hold up a server
for 20 to 50 ms. An object that is stored all the while is passed once; of those that come and go
meanwhile nothing is promised, and whether a reset replaced all of them is told.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Any

import redis

from .. import INDEXED_REDIS_PREFIX, getRedisPool

__all__ = ('Walk',)

PAGE = 500


class Walk:
    """One walk over the objects of a model.

    :param model: the model
    """

    def __init__(self, model: Any) -> None:
        self._client = model._connection
        if self._client is None:
            pool = getRedisPool(model.REDIS_CONNECTION_PARAMS)
            self._client = redis.Redis(connection_pool=pool)
        base = f'{INDEXED_REDIS_PREFIX}{model.KEY_NAME}'
        self._all, self._swapped = f'{base}:keys', f'{base}:tmp:swapped'
        self._note = self._client.get(self._swapped)
        self._first: list[int] = []
        self._replaced = False
        #: how many objects there were at the beginning
        self.total = int(self._client.scard(self._all))

    def pks(self) -> array[int]:
        """All of them, in no particular order; eight bytes each."""
        found = array('q')
        cursor = None
        while cursor != 0:
            cursor, members = self._client.sscan(self._all, cursor or 0, count=PAGE)
            # What is no pk is for `repair` to take out.
            found.extend(int(member) for member in members if member.isdigit())
        self._first = list(found[:PAGE])
        # A scan passes a member twice if the table of the set shrinks or grows meanwhile.
        return found if len(set(found)) == len(found) else array('q', dict.fromkeys(found))

    def pages(self) -> Iterator[list[int]]:
        """The pks, a page at a time."""
        pks = self.pks()
        for start in range(0, len(pks), PAGE):
            yield pks[start : start + PAGE].tolist()
            self._look()

    def _look(self) -> None:
        """A reset in which objects keep their pk leaves a note for a minute."""
        note = self._client.get(self._swapped)
        if note not in (None, self._note):
            self._replaced = True

    @property
    def replaced(self) -> bool:
        """Whether a reset replaced all objects since the beginning.

        Without a note it gave all of them new pks, so that none of the old ones exists any more.
        """
        if self._replaced or not self._first:
            return self._replaced
        return not any(self._client.smismember(self._all, self._first))
