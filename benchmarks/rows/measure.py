"""Measure operations on rows."""

from collections.abc import Iterator

from ..results import BEFORE, BY_HAND, OLD, US, Result
from ..run import Run
from ..running.process import Process
from ..running.turns import compare, wait_and_total
from .dataset import make

TIMED_BY_THE_OBJECT = (US, BEFORE, OLD, BY_HAND)
ARTISTS = 200


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


def asyncio(run: Run) -> Iterator[Result]:
    """Have a hundred clients ask at a time."""
    crew = run.crew(
        'rows.works',
        run.chosen(*TIMED_BY_THE_OBJECT),
        data=run.file_of(make('artists', 10 * ARTISTS)),
    )
    for result in compare(run, 'asyncio', crew):
        result.note = '6.0.3 has no asyncio: threads. By hand: redis.asyncio.'
        yield result


def _crew(run: Run) -> list[Process]:
    return run.crew('rows.works', run.subjects, data=run.file_of(run.data))
