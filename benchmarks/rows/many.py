"""List what many clients ask at a time: on asyncio if the subject can, and in threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

from ..results import BY_HAND
from ..running.clients import Ask, load
from ..running.work import Work
from ..subjects import make

if TYPE_CHECKING:
    from .works import Rows

CLIENTS, CONNECTIONS = 100, 16
BY_ARTIST = 10  # rows of each


def questions(at: Rows) -> Iterator[Work]:
    """Yield the objects of an artist, then an object by pk."""
    subject = make(at.subject, at.connection, at.data, connections=CONNECTIONS)
    artists, sizes = len(at.data.rows) // BY_ARTIST, at.sizes
    numbers = Random(artists).choices(range(1, artists), k=sizes.questions)
    for title, ways in {
        f'filter(artist=...): {BY_ARTIST} rows': _ways(at, subject, 'select', _of_artist, list),
        'get(pk)': _ways(at, subject, 'get', int, lambda obj: [obj]),
    }.items():
        name = f'{title}, {CLIENTS} at a time on asyncio'
        for way, ask in ways.items():
            prepare = partial(load, ask, CLIENTS, numbers, sizes.seconds)
            yield Work(name, prepare, way, 'load', unit='queries/s', rounds=sizes.rounds, warm_up=2)


def _of_artist(number: int) -> dict[str, str]:
    return {'artist': f'Artist {number}'}


def _ways(
    at: Rows,
    subject: Any,
    method: str,
    argument: Callable[[int], Any],
    objects: Callable[[Any], list[Any]],
) -> dict[str, Ask]:
    """Return how the subject asks, by the end of its name."""
    read = subject.reader(at.data.three)

    def in_threads(number: int) -> list[Any]:
        return [*map(read, objects(getattr(subject, method)(argument(number))))]

    async def on_asyncio(number: int) -> list[Any]:
        return [*map(read, objects(await getattr(subject, f'a{method}')(argument(number))))]

    if 'asyncio' in subject.cannot:
        return {'': in_threads}
    return {'': on_asyncio} | ({', threads': in_threads} if at.subject != BY_HAND else {})
