"""All pks of a model, page by page.

The rule: a walk reads pks by ``SSCAN``, since ``SMEMBERS`` of 300,000 pks blocks a server for 20 to
50 ms. A walk passes an object that is stored all the while once. It promises nothing about objects
that come and go, and reports whether a reset replaced all of them. Of a model with partitions, it
passes the objects of one edition.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from functools import partial
from typing import Any

from .. import INDEXED_REDIS_PREFIX
from ..managers.manager import scan_set, send
from ..managers.stored_pks import edition_of, pks_of_partitions

__all__ = ('Walk', 'walk_of')

PAGE_PKS = 500


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
        self._all, self._swapped = f'{base}:keys', f'{base}:tmp:swapped'
        self._marker = self._send('GET', self._swapped)
        self._first: list[int] = []
        self._replaced = False
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
        pks = self.pks()
        for start in range(0, len(pks), PAGE_PKS):
            yield pks[start : start + PAGE_PKS].tolist()
            self._read_marker()

    def _read_marker(self) -> None:
        """Note a reset that kept pks: it leaves a swap marker for a minute."""
        if self._send('GET', self._swapped) not in (None, self._marker):
            self._replaced = True

    @property
    def replaced(self) -> bool:
        """Whether a reset replaced all objects since the beginning.

        A reset without a swap marker assigns new pks, so none of the old ones is left.
        """
        if self._replaced or not self._first:
            return self._replaced
        return not any(self._send('SMISMEMBER', self._all, *self._first))


class PartitionedWalk(Walk):
    """One walk over the objects of a model with partitions."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._edition, self._pks = pks_of_partitions(model)
        #: how many objects the model stored at the beginning
        self.total = len(self._pks)

    def pks(self) -> array[int]:
        """Return all pks, eight bytes each."""
        return self._pks

    def _read_marker(self) -> None:
        """Do nothing: the edition tells whether objects were replaced."""

    @property
    def replaced(self) -> bool:
        """Whether a reset replaced all objects since the beginning."""
        return edition_of(self._model) != self._edition
