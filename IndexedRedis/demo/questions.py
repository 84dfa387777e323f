"""The questions of a shop, asked of the models and in SQL.

The rule: the clock stops when the whole answer is in Python, and both sides must give the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from .. import IndexedRedisModel, irNull
from . import data
from .models import Track

RUNS = 9  # of each side, in turn; the demo shows the median

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Question:
    """A question, the expression that answers it, and its SQL.

    ``ordered`` says that the order of the rows is part of the answer.
    """

    text: str
    code: str
    ask: Callable[[], Any]
    sql: Select[Any]
    ordered: bool = False


@dataclass(frozen=True)
class Answer:
    """Both answers to a question, as rows, and their median times in seconds."""

    question: Question
    redis: list[Row]
    sql: list[Row]
    redis_time: float
    sql_time: float

    @property
    def agrees(self) -> bool:
        """Whether both answers are equal."""
        if self.question.ordered:
            return self.redis == self.sql
        return sorted(self.redis, key=repr) == sorted(self.sql, key=repr)


COLUMNS = tuple(data.TRACKS.selected_columns.keys())


def _tracks(*conditions: ColumnElement[bool]) -> Select[Any]:
    """Return the select of tracks with these conditions, unordered to save SQL a sort."""
    return data.TRACKS.order_by(None).where(*conditions)


QUESTIONS = (
    Question(
        'Everything by Iron Maiden',
        "Track.objects.filter(artist='Iron Maiden').all()",
        lambda: Track.objects.filter(artist='Iron Maiden').all(),
        _tracks(data.artist.c.name == 'Iron Maiden'),
    ),
    Question(
        'Rock, but not by U2',
        "Track.objects.filter(genre='Rock', artist__ne='U2').all()",
        lambda: Track.objects.filter(genre='Rock', artist__ne='U2').all(),
        _tracks(data.genre.c.name == 'Rock', data.artist.c.name != 'U2'),
    ),
    Question(
        'How many jazz tracks name no composer?',
        "Track.objects.filter(genre='Jazz', composer=None).count()",
        lambda: Track.objects.filter(genre='Jazz', composer=None).count(),
        select(func.count())
        .select_from(data.track)
        .join(data.genre)
        .where(data.genre.c.name == 'Jazz', data.track.c.composer.is_(None)),
    ),
    Question(
        'The album “Acústico MTV [Live]”, in its order',
        "Track.objects.filter(album='Acústico MTV [Live]').allByAge()",
        lambda: Track.objects.filter(album='Acústico MTV [Live]').allByAge(),
        _tracks(data.album.c.title == 'Acústico MTV [Live]').order_by(data.track.c.id),
        ordered=True,
    ),
    Question(
        'The newest blues track',
        "Track.objects.filter(genre='Blues').last()",
        lambda: Track.objects.filter(genre='Blues').last(),
        _tracks(data.genre.c.name == 'Blues').order_by(data.track.c.id.desc()).limit(1),
    ),
)


def answer(question: Question, connection: Connection, runs: int = RUNS) -> Answer:
    """Ask both sides in turn, and measure them.

    :param question: one of ``QUESTIONS``
    :param connection: to the SQL database
    :param runs: how often to ask each side
    :returns: the answers of the last run, with the median times
    """
    redis_times, sql_times = [], []
    for _ in range(runs):
        found, seconds = _timed(question.ask)
        redis_times.append(seconds)
        rows, seconds = _timed(lambda: connection.execute(question.sql).all())
        sql_times.append(seconds)
    return Answer(
        question,
        as_rows(found),
        [tuple(row) for row in rows],
        median(redis_times),
        median(sql_times),
    )


def as_rows(found: Any) -> list[Row]:
    """What a query gave (tracks, one track, nothing, a number) in the form SQL gives it."""
    if found is None:
        return []
    if isinstance(found, int):
        return [(found,)]
    tracks: Sequence[Any] = [found] if isinstance(found, IndexedRedisModel) else found
    return [tuple(_as_sql(getattr(track, name)) for name in COLUMNS) for track in tracks]


def _as_sql(value: Any) -> Any:
    return None if value is irNull else value


def _timed(call: Callable[[], Any]) -> tuple[Any, float]:
    start = perf_counter()
    result = call()
    return result, perf_counter() - start
