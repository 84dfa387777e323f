"""A reader that runs while a mirror does. The rule: it looks again and again, and remembers every
answer that could not have been true at any moment."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis

from IndexedRedis import irNull
from mirror.catalogue import TABLES, Track

PAUSE = 0.02  # seconds after each round, in which the mirror has the processor for itself
# What the raw look counts: how many objects of each edition, in one moment.
EDITIONS = range(1, 12)


class Reader(threading.Thread):
    """Reads all models until it is told to stop."""

    def __init__(self, params: dict[str, Any]):
        super().__init__(daemon=True)
        self._client = redis.Redis(**params)
        self._over = threading.Event()
        self.rounds, self.seen = 0, set[tuple[int, ...]]()
        self.wrong: list[str] = []

    def run(self) -> None:
        while not self._over.is_set():
            try:
                self._look()
                self._follow()
            except Exception as error:
                self.wrong.append(repr(error))
                return
            self.rounds += 1
            self._over.wait(PAUSE)

    def stop(self) -> None:
        """End it; fails if it saw something that cannot be."""
        self._over.set()
        self.join()
        self._client.close()
        assert not self.wrong, self.wrong[:3]
        assert self.rounds > 0

    def _look(self) -> None:
        """All models in one moment: they are of one edition, or empty."""
        with self._client.pipeline(transaction=True) as pipe:
            for model in TABLES:
                for edition in EDITIONS:
                    base = f'_ir_|{model.KEY_NAME}:'
                    pipe.sintercard(2, [f'{base}keys', f'{base}idx:edition:{edition}'], limit=1)
            counts = pipe.execute()
        size = len(EDITIONS)
        found = {
            tuple(bool(count) for count in counts[start : start + size])
            for start in range(0, len(counts), size)
        }
        if len(found) != 1 or sum(next(iter(found))) > 1:
            self.wrong.append(f'a mixture: {found}')
        self.seen |= found

    def _follow(self) -> None:
        """The library's answer is of one edition, and its links lead somewhere."""
        tracks = Track.objects.filter(composer='Steve Harris').all(cascadeFetch=True)
        if len({each.edition for each in tracks}) > 1:
            self.wrong.append('tracks of two editions')
        for each in tracks:
            whole = None not in (each.album, each.genre)
            whole = whole and each.album.artist not in (None, irNull)
            # Links of an object that was replaced between two trips may lead nowhere.
            if not whole and Track.objects.exists(each._id):
                self.wrong.append(f'{each!r} without album or artist')


@contextmanager
def reading(params: dict[str, Any]) -> Iterator[Reader]:
    """A reader while the block runs."""
    reader = Reader(params)
    reader.start()
    try:
        yield reader
    finally:
        reader.stop()
