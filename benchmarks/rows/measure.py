"""Measure operations on rows, how they grow, and many of them at a time."""

import random
from collections.abc import Iterator

from ..results import BEFORE, BY_HAND, OLD, US, Result
from ..run import Run
from ..running.load import Loaded, Shape, ask_in_turns
from ..running.process import Process
from ..running.turns import compare, wait_and_total
from .dataset import make

TIMED_BY_THE_OBJECT = (US, BEFORE, OLD, BY_HAND)
CONNECTIONS = 16
ARTISTS = 200
AT_A_TIME = 100
CLIENTS = (1, 4, 16, 64, 256)
QUESTIONS = {'filter': 'filter(artist=...): 10 rows', 'get': 'get(pk)'}
ON_ASYNCIO = ' on asyncio'
WAYS = (  # the subjects that many clients ask: on asyncio where they can, and in threads
    *((OLD, '', ''), (US, '', ON_ASYNCIO), (BEFORE, '', ON_ASYNCIO), (BY_HAND, '', ON_ASYNCIO)),
    *((US, ', threads', ''), (BEFORE, ', threads', '')),
)


def operations(run: Run) -> Iterator[Result]:
    """Time each operation."""
    for result in compare(run, 'operations', _crew(run)):
        if result.work == 'import':
            result.note = (
                'By hand: import redis, which for IndexedRedis follows at the first connection.'
            )
        yield from wait_and_total(result) if 'above quiet, ms' in result.more else [result]


def growth(run: Run) -> Iterator[Result]:
    """Time an object of ever larger results, and small reads among other programs' keys."""
    processes = [each for each in _crew(run) if each.name in TIMED_BY_THE_OBJECT]
    yield from compare(run, 'growth', processes)


def _crew(run: Run) -> list[Process]:
    return run.crew('rows.works', run.subjects, data=run.file_of(run.data))


def asyncio(run: Run) -> Iterator[Result]:
    """Have a hundred clients ask at a time."""
    for result in _many_clients(run, [Shape(f'{AT_A_TIME} at a time on asyncio', 1, AT_A_TIME)]):
        result.note = '6.0.3 has no asyncio: threads. By hand: redis.asyncio.'
        yield result


def clients(run: Run) -> Iterator[Result]:
    """Have one client ask, then more and more at a time."""
    yield from _many_clients(run, [Shape(f'{count} at a time', 1, count) for count in CLIENTS])


def _many_clients(run: Run, shapes: list[Shape]) -> Iterator[Result]:
    numbers = random.Random(ARTISTS).choices(range(1, ARTISTS), k=run.sizes.questions)
    for question, title in QUESTIONS.items():
        wanted = [shape for shape in shapes if run.wants(f'{title}, {shape.name}')]
        if wanted:
            subjects = list(_askers(run, question))
            yield from ask_in_turns(run, title, 'queries/s', subjects, numbers, wanted)


def _askers(run: Run, question: str) -> Iterator[Loaded]:
    how = {'data': run.file_of(make('artists', 10 * ARTISTS)), 'connections': CONNECTIONS}
    names = [name for name in run.subjects if name in TIMED_BY_THE_OBJECT]
    crew = {process.name: process for process in run.crew('rows.works', names, **how)}
    for name, suffix, where in WAYS:
        if name in crew:
            yield Loaded(name + suffix, [crew[name]], question + where, run.server)
