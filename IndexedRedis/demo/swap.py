"""A second ``reset`` under the eyes of a reader.

The rule: the reader judges every answer against both data sets, whole and value by value; what
is neither the one nor the other is a mixture, and there must be none.
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

GENRE = 'Metal'  # 374 tracks, of which five go
READS_AROUND = 25  # of the old data set before, and of the new one after
PATIENCE = 60.0  # seconds until a reader that gets no such answer is given up

Rows = list[tuple[int, float, int]]


@dataclass(frozen=True)
class Report:
    """What the reader saw while the data set was replaced; times in seconds."""

    sizes: tuple[int, int]
    before: int
    after: int
    mixtures: int
    usual_wait: float
    longest_wait: float
    reset_time: float

    @property
    def clean(self) -> bool:
        """Whether every answer was one data set or the other."""
        return self.mixtures == 0


class Reader:
    """Asks the same question without a pause, in a thread of its own, and judges each answer.

    :param ask: the question
    :param editions: the right answers, as :func:`judged` gives them, by number of the edition
    """

    MIXTURE = 0

    def __init__(self, ask: Callable[[], Iterable[Track]], editions: Mapping[int, Rows]) -> None:
        self.seen: Counter[int] = Counter()
        self.waits: list[float] = []
        self._ask = ask
        self._editions = editions
        self._news = threading.Condition()
        self._enough = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name='reader', daemon=True)

    def wait_for(self, edition: int, reads: int, patience: float = PATIENCE) -> None:
        """Block until the reader has seen an edition so many times more.

        :param patience: seconds
        :raises RuntimeError: it did not in that time
        """
        with self._news:
            goal = self.seen[edition] + reads
            self._news.wait_for(lambda: self._error or self.seen[edition] >= goal, patience)
            if self._error:
                raise self._error
            if self.seen[edition] < goal:
                raise RuntimeError(f'the reader does not get to see edition {edition}: {self.seen}')

    def __enter__(self) -> Reader:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._enough = True
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._enough:
                start = perf_counter()
                answer = self._ask()
                wait = perf_counter() - start
                self._note(judged(answer), wait)
        except BaseException as error:  # raised where somebody waits for us
            with self._news:
                self._error = error
                self._news.notify_all()

    def _note(self, answer: Rows, wait: float) -> None:
        edition = next((n for n, right in self._editions.items() if right == answer), self.MIXTURE)
        with self._news:
            self.seen[edition] += 1
            self.waits.append(wait)
            self._news.notify_all()


def judged(tracks: Iterable[Any]) -> Rows:
    """What of an answer is compared: it differs in every row from one edition to the next."""
    return sorted((track.track_id, track.unit_price, track.edition) for track in tracks)


def swap(connection: Connection) -> Report:
    """Change the catalogue in SQL and mirror it again while a reader goes on reading.

    :param connection: to the SQL database, whose first edition is mirrored
    :returns: what the reader saw
    """
    editions = {1: _in_sql(connection, 1)}
    data.new_edition(connection)
    editions[2] = _in_sql(connection, 2)
    with Reader(Track.objects.filter(genre=GENRE).all, editions) as reader:
        reader.wait_for(1, READS_AROUND)
        start = perf_counter()
        mirror(connection, Track, edition=2)
        reset_time = perf_counter() - start
        reader.wait_for(2, READS_AROUND)
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
    """What SQL says to the reader's question."""
    tracks = data.TRACKS.where(data.genre.c.name == GENRE)
    return sorted((row.track_id, row.unit_price, edition) for row in connection.execute(tracks))
