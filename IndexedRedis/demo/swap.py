"""A second ``reset`` while a reader reads.

The rule: the reader compares every answer with both data sets, value by value. An answer that
equals neither is a mixture, and there must be none.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any

from sqlalchemy import Connection

from . import data
from .mirror import mirror
from .models import Track

GENRE = 'Metal'  # 374 tracks, five of which the second edition lacks
MIN_READS = 25  # of each data set
MAX_WAIT_SECONDS = 60.0  # for these reads

Rows = list[tuple[int, float, int]]


@dataclass(frozen=True)
class Report:
    """What the reader saw during the swap; times in seconds."""

    sizes: tuple[int, int]
    before: int
    after: int
    mixtures: int
    usual_wait: float
    longest_wait: float
    reset_time: float

    @property
    def clean(self) -> bool:
        """Whether every answer equals one of the data sets."""
        return self.mixtures == 0


class Reader:
    """Asks one question without pause, in a thread, and compares each answer.

    :param ask: the question
    :param editions: the right answers, by number of the edition
    :param compare: returns the values of an answer to compare
    :param counted: errors of the question that are counted, and end nothing
    """

    MIXTURE = 0

    def __init__(
        self,
        ask: Callable[[], Iterable[Any]],
        editions: Mapping[int, list[Any]],
        compare: Callable[[Iterable[Any]], list[Any]] | None = None,
        counted: tuple[type[Exception], ...] = (),
    ) -> None:
        self.seen: Counter[int] = Counter()
        self.waits: list[float] = []
        self.errors = 0
        self._ask, self._editions = ask, editions
        self._compare, self._counted = compare or compared, counted
        self._changed = threading.Condition()
        self._over = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name='reader', daemon=True)

    def wait_for(self, edition: int, reads: int, seconds: float = MAX_WAIT_SECONDS) -> None:
        """Wait until the reader has seen an edition this many times more.

        :param seconds: how long to wait at most
        :raises RuntimeError: if it did not in that time
        """
        with self._changed:
            goal = self.seen[edition] + reads
            self._changed.wait_for(lambda: self._error or self.seen[edition] >= goal, seconds)
            if self._error:
                raise self._error
            if self.seen[edition] < goal:
                raise RuntimeError(f'the reader did not see edition {edition}; it saw {self.seen}')

    def __enter__(self) -> Reader:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over = True
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._over:
                start = perf_counter()
                try:
                    answer = self._ask()
                except self._counted:
                    self.errors += 1
                    continue
                wait = perf_counter() - start
                self._add(self._compare(answer), wait)
        except BaseException as error:  # wait_for raises it
            with self._changed:
                self._error = error
                self._changed.notify_all()

    def _add(self, answer: list[Any], wait: float) -> None:
        edition = next((n for n, right in self._editions.items() if right == answer), self.MIXTURE)
        with self._changed:
            self.seen[edition] += 1
            self.waits.append(wait)
            self._changed.notify_all()


def compared(tracks: Iterable[Any]) -> Rows:
    """Return the values to compare, which differ in every row between the editions."""
    return sorted((track.track_id, track.unit_price, track.edition) for track in tracks)


def swap(connection: Connection) -> Report:
    """Change the catalogue in SQL, and mirror it again while a reader reads.

    :param connection: to the SQL database, whose first edition is mirrored
    :returns: what the reader saw
    """
    editions = {1: _in_sql(connection, 1)}
    data.new_edition(connection)
    editions[2] = _in_sql(connection, 2)
    with Reader(Track.objects.filter(genre=GENRE).all, editions) as reader:
        reader.wait_for(1, MIN_READS)
        start = perf_counter()
        mirror(connection, Track, edition=2)
        reset_time = perf_counter() - start
        reader.wait_for(2, MIN_READS)
    return Report(
        sizes=(len(editions[1]), len(editions[2])),
        before=reader.seen[1],
        after=reader.seen[2],
        mixtures=reader.seen[Reader.MIXTURE],
        usual_wait=median(reader.waits),
        longest_wait=max(reader.waits),
        reset_time=reset_time,
    )


def _in_sql(connection: Connection, edition: int) -> Rows:
    """Return SQL's answer to the reader's question."""
    tracks = data.TRACKS.where(data.genre.c.name == GENRE)
    return sorted((row.track_id, row.unit_price, edition) for row in connection.execute(tracks))
