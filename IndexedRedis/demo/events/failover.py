"""A cluster, or a primary with sentinels, loses the primary while a reader reads.

The rule: the reader follows links, and compares every answer with the data sets of SQL. It counts
its errors and goes on; there must be none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any

import redis
from sqlalchemy import Engine

from ... import IndexedRedisError
from ...mirror import Mirror
from ...testing.clusters import Cluster, Node, Sentinels
from .. import data
from ..linked import Album, Artist, Genre, Track
from ..reader import MIN_READS, MIXTURE, Got, Reader

__all__ = ('GENRE', 'TABLES', 'Failover', 'lose_a_primary', 'mirror_of', 'primary_of')

GENRE = 'Metal'  # 374 tracks, five of which the second edition lacks
TABLES = {
    Artist: data.table_of(data.Artist),
    Album: data.table_of(data.Album),
    Genre: data.table_of(data.Genre),
    Track: data.table_of(data.Track),
}
# For a replica to confirm what was mirrored.
WAIT_MILLISECONDS = 10_000


@dataclass(frozen=True)
class Failover:
    """What the reader read.

    ``before`` and ``after`` are reads of the first data set before and after the primary was
    killed; ``mirrored`` those of the second one.

    :param got: each read: when it was over, its seconds, and its edition
    :param killed_at: when the primary was killed, on the same clock
    :param mirrored_at: when the second run of the mirror had ended
    """

    killed: Node
    promoted: Node
    before: int
    after: int
    mirrored: int
    mixtures: int
    errors: int
    got: Sequence[Got]
    killed_at: float
    mirrored_at: float

    @property
    def clean(self) -> bool:
        """Whether every read gave one of the data sets."""
        return not (self.mixtures or self.errors)

    @property
    def usual_wait(self) -> float:
        """The seconds that half of the reads took at most."""
        return median(took for _, took, _ in self.got)

    @property
    def longest_wait(self) -> float:
        """The seconds of the longest read."""
        return max(took for _, took, _ in self.got)


def mirror_of(engine: Engine) -> Mirror:
    """Return the mirror of the catalogue: four tables, replaced in one swap."""
    return Mirror(engine, TABLES)


def primary_of(group: Cluster | Sentinels) -> Node:
    """Return the node that serves the catalogue."""
    if isinstance(group, Sentinels):
        return group.primary
    return group.primary_of(Track.KEY_NAME)


def lose_a_primary(group: Cluster | Sentinels, engine: Engine) -> Failover:
    """Kill the primary that serves the reader, then mirror another edition, while it reads.

    :param group: the servers; the catalogue is mirrored into them
    :param engine: on the SQL database
    """
    editions = {1: _in_sql(engine)}
    ask = partial(Track.objects.filter(genre__name=GENRE).all, cascadeFetch=True)
    counted = (redis.RedisError, IndexedRedisError)
    start = perf_counter()
    with Reader(ask, editions, _compared, counted) as reader:
        reader.wait_for(1, MIN_READS)
        killed = primary_of(group)
        _wait_for_a_replica(killed)
        killed_at = perf_counter()
        group.kill(killed)
        before = reader.seen[1]
        reader.wait_for(1, MIN_READS)
        after = reader.seen[1] - before
        with engine.begin() as connection:
            data.new_edition(connection)
        editions[2] = _in_sql(engine)
        mirror_of(engine).run()
        mirrored_at = perf_counter()
        reader.wait_for(2, MIN_READS)
    return Failover(
        killed=killed,
        promoted=primary_of(group),
        before=before,
        after=after,
        mirrored=reader.seen[2],
        mixtures=reader.seen[MIXTURE],
        errors=reader.errors,
        got=[(when - start, *more) for when, *more in reader.got],
        killed_at=killed_at - start,
        mirrored_at=mirrored_at - start,
    )


def _wait_for_a_replica(primary: Node) -> None:
    """Wait until a replica has confirmed what the primary has stored."""
    with primary.client(socket_timeout=WAIT_MILLISECONDS / 1000 + 1) as client:
        client.set(f'{Track.KEY_NAME}:mark', 1)  # WAIT waits for the writes of its own connection
        client.wait(1, WAIT_MILLISECONDS)


def _compared(tracks: Iterable[Any]) -> list[Any]:
    """Return the values to compare, which differ in every row between the editions."""
    return sorted(
        (track.id, track.unit_price, track.name, track.album.title, track.album.artist.name)
        for track in tracks
    )


def _in_sql(engine: Engine) -> list[Any]:
    """Return SQL's answer to the reader's question."""
    with engine.connect() as connection:
        rows = connection.execute(data.TRACKS.where(data.Genre.name == GENRE)).all()
    return sorted((row.track_id, row.unit_price, row.name, row.album, row.artist) for row in rows)
