"""All pks of a model, page by page.

The rule: a walk reads pks by ``SSCAN``, since ``SMEMBERS`` of 300,000 pks blocks a server for 20 to
50 ms. A walk passes an object that is stored all the while once. It promises nothing about objects
that come and go, and reports whether a reset replaced all of them. Of a model with partitions, it
passes the objects of one edition.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import partial
from threading import Event, Thread
from time import monotonic
from typing import Any

from .. import INDEXED_REDIS_PREFIX
from ..managers.manager import scan_set, send
from ..managers.stored_pks import edition_of, pks_of_partitions

__all__ = ('Walk', 'walk_of')

PAGE_PKS = 500
# A swap marker that came since a look this many seconds ago is still there.
LOOK_SECONDS = 45


def walk_of(model: Any) -> Walk:
    """Return a walk over the objects of a model."""
    return PartitionedWalk(model) if model.PARTITIONS else Walk(model)


class Walk:
    """One walk over the objects of a model.

    :param model: the model
    """

    def __init__(self, model: Any) -> None:
        self._model, self._send = model, partial(send, model)
        base = f'{INDEXED_REDIS_PREFIX}{model.KEY_NAME}'
        self._all = f'{base}:keys'
        self._marker = _Marker(partial(self._send, 'GET', f'{base}:tmp:swapped'))
        self._watched: Callable[[], AbstractContextManager[None]] = self._marker.watched
        self._first: list[int] = []
        #: how many objects the model stored at the beginning
        self.total = int(self._send('SCARD', self._all))

    def pks(self) -> array[int]:
        """Return all pks in any order, eight bytes each."""
        pks = array('q')

        def take(page: list[bytes]) -> None:
            pks.extend(map(int, filter(bytes.isdigit, page)))  # `repair` removes other members

        scan_set(self._model, self._all, take)
        self._first = list(pks[:PAGE_PKS])
        # SSCAN passes a member twice if the table of the set shrinks or grows meanwhile, or if
        # another node takes over.
        return pks if len(set(pks)) == len(pks) else array('q', dict.fromkeys(pks))

    def pages(self) -> Iterator[list[int]]:
        """Yield the pks, a page at a time."""
        with self._watched():
            pks = self.pks()
            for start in range(0, len(pks), PAGE_PKS):
                yield pks[start : start + PAGE_PKS].tolist()

    @property
    def replaced(self) -> bool:
        """Whether a reset replaced all objects since the beginning, or may have.

        A reset without a swap marker assigns new pks, so none of the old ones is left.
        """
        self._marker.look()
        if self._marker.moved or not self._first:
            return self._marker.moved
        return not any(self._send('SMISMEMBER', self._all, *self._first))


class _Marker:
    """The swap marker, which a reset that keeps pks leaves for a minute.

    A thread reads it every 15 seconds, since the caller may wait for minutes between two pages: an
    export waits for its reader, such as ``less``.

    :param read: reads it
    """

    def __init__(self, read: Callable[[], Any]) -> None:
        self._read = read
        self._seen, self._at = read(), monotonic()
        #: whether there was another one, or may have been
        self.moved = False

    def look(self) -> None:
        """Note whether the marker changed, or may have changed while nobody read it."""
        now, before = monotonic(), self._at
        found = self._read()
        self._at = now
        if now - before > LOOK_SECONDS if found is None else found != self._seen:
            self.moved = True

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Look at the marker now and then while the block runs."""
        ended = Event()

        def watch() -> None:
            while not ended.wait(LOOK_SECONDS / 3):
                with suppress(Exception):  # the next look tells how long nobody looked
                    self.look()

        Thread(target=watch, daemon=True).start()
        try:
            yield
        finally:
            ended.set()


class PartitionedWalk(Walk):
    """One walk over the objects of a model with partitions."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._watched = nullcontext  # the edition says whether the objects were replaced
        self._edition, self._pks = pks_of_partitions(model)
        #: how many objects the model stored at the beginning
        self.total = len(self._pks)

    def pks(self) -> array[int]:
        """Return all pks, eight bytes each."""
        return self._pks

    @property
    def replaced(self) -> bool:
        """Whether a reset replaced all objects since the beginning."""
        return edition_of(self._model) != self._edition
