"""A follower of PostgreSQL, and a reader that waits for each commit.

The rule: a commit changes all tracks of an album, and the reader compares all of them. Tracks of
two commits in one answer are a mixture, and there must be none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from time import perf_counter
from typing import Any

from sqlalchemy import Engine, select, update

from ...mirror import Mirror
from .. import data, models
from ..reader import MIXTURE, Reader

__all__ = ('ALBUM', 'COMMITS', 'Live', 'Track', 'follow_commits')

ALBUM = 'Acústico MTV [Live]'
COMMITS = 20
FIRST_PRICE = 1.00  # that of the next commit is a cent more


class Track(models.Track):
    """The same track, which can be followed: the key of its rows is indexed."""

    INDEXED_FIELDS = [*models.Track.INDEXED_FIELDS, 'track_id']
    KEY_NAME = 'ChinookLiveTrack'


@dataclass(frozen=True)
class Live:
    """What the reader saw.

    :param objects: how many objects the follower loaded first
    :param loaded: the seconds until they were live and followed
    :param rows: how many rows each commit changed
    :param price: that of the last commit
    :param waits: the seconds from each COMMIT until the reader had its rows
    :param reads: how many reads there were
    :param mixtures: how many of them were of two commits
    """

    objects: int
    loaded: float
    rows: int
    price: float
    waits: Sequence[float]
    reads: int
    mixtures: int


def follow_commits(engine: Engine, commits: int = COMMITS) -> Live:
    """Follow the shop, and change the prices of an album again and again while a reader reads.

    :param engine: on a PostgreSQL server with ``wal_level = logical``
    :param commits: how many commits to make, each when the reader has seen the one before
    """
    with engine.connect() as connection:
        album = connection.scalars(select(data.Album.id).where(data.Album.title == ALBUM)).one()
        of_album = data.Track.album_id == album
        first = sorted(connection.scalars(select(data.Track.unit_price).where(of_album)))
    prices = [round(FIRST_PRICE + number / 100, 2) for number in range(commits)]
    editions = {1: first} | {2 + n: [price] * len(first) for n, price in enumerate(prices)}
    start, waits = perf_counter(), []
    with (
        _following(Mirror(engine, {Track: data.TRACKS}, keys={Track: 'track_id'})),
        engine.connect() as connection,
    ):
        loaded = perf_counter() - start
        with Reader(Track.objects.filter(album=ALBUM).all, editions, _prices) as reader:
            reader.wait_for(1, 1)
            for edition, price in enumerate(prices, 2):
                connection.execute(update(data.Track).where(of_album).values(unit_price=price))
                sent = perf_counter()
                connection.commit()
                reader.wait_for(edition, 1)
                seen = next(when for when, _, number in reader.got if number == edition)
                waits.append(seen - sent)
        objects = Track.objects.count()
    reads, mixtures = len(reader.got), reader.seen[MIXTURE]
    return Live(objects, loaded, len(first), prices[-1], waits, reads, mixtures)


def _prices(tracks: Iterable[Any]) -> list[float]:
    return sorted(track.unit_price for track in tracks)


@contextmanager
def _following(mirror: Mirror) -> Iterator[None]:
    """Follow in a thread while the block runs, which begins when the data is there."""
    stop, ready = Event(), Event()
    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(mirror.follow, stop, lambda status: ready.set(), prepare=True)
        work.add_done_callback(lambda done: ready.set())
        try:
            ready.wait()
            if work.done():  # it failed
                work.result()
            yield
        finally:
            stop.set()
            work.result()
