"""A cluster that loses a primary while a reader reads, and is mirrored into again.

The rule: the reader follows links, and compares every answer with the data sets of SQL. It counts
its errors and goes on; there must be none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import redis
from sqlalchemy import Engine

from .. import IndexedRedisError
from ..mirror import Mirror
from ..testing.clusters import Cluster, Node
from . import data
from .linked import Album, Artist, Genre, Track
from .swap import MIN_READS, Reader

__all__ = ('GENRE', 'TABLES', 'FailoverReport', 'lose_a_primary', 'mirror_of', 'primary_of')

GENRE = 'Metal'
TABLES = {Artist: data.artist, Album: data.album, Genre: data.genre, Track: data.track}
# For a replica to confirm what was mirrored.
WAIT_MILLISECONDS = 10_000


@dataclass(frozen=True)
class FailoverReport:
    """What the reader saw; times in seconds.

    ``before`` and ``after`` are reads of the first data set before and after the primary was
    killed; ``mirrored`` those of the second one.
    """

    killed: Node
    promoted: Node
    before: int
    after: int
    mirrored: int
    mixtures: int
    errors: int
    usual_wait: float
    longest_wait: float

    @property
    def clean(self) -> bool:
        """Whether every read gave one of the data sets."""
        return not (self.mixtures or self.errors)


def mirror_of(engine: Engine) -> Mirror:
    """Return the mirror of the catalogue: four tables, replaced in one swap."""
    return Mirror(engine, TABLES)


def primary_of(cluster: Cluster) -> Node:
    """Return the node that serves the catalogue."""
    return cluster.primary_of(Track.KEY_NAME)


def lose_a_primary(cluster: Cluster, engine: Engine) -> FailoverReport:
    """Kill the primary that serves the reader, then mirror a second edition, while it reads.

    :param cluster: the cluster; the catalogue is mirrored into it
    :param engine: on the SQL database
    """
    editions = {1: _in_sql(engine)}
    ask = partial(Track.objects.filter(genre__name=GENRE).all, cascadeFetch=True)
    counted = (redis.RedisError, IndexedRedisError)
    with Reader(ask, editions, _compared, counted) as reader:
        reader.wait_for(1, MIN_READS)
        killed = primary_of(cluster)
        _wait_for_a_replica(killed)
        cluster.kill(killed)
        before = reader.seen[1]
        reader.wait_for(1, MIN_READS)
        after = reader.seen[1] - before
        with engine.begin() as connection:
            data.new_edition(connection)
        editions[2] = _in_sql(engine)
        mirror_of(engine).run()
        reader.wait_for(2, MIN_READS)
    return FailoverReport(
        killed=killed,
        promoted=primary_of(cluster),
        before=before,
        after=after,
        mirrored=reader.seen[2],
        mixtures=reader.seen[Reader.MIXTURE],
        errors=reader.errors,
        usual_wait=median(reader.waits),
        longest_wait=max(reader.waits),
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
        rows = connection.execute(data.TRACKS.where(data.genre.c.name == GENRE)).all()
    return sorted((row.track_id, row.unit_price, row.name, row.album, row.artist) for row in rows)
