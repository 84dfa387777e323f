"""Measure operations on rows, how they grow, and many of them at a time."""

import random
from collections.abc import Iterator

from ..results import BEFORE, BY_HAND, OLD, US, Result
from ..run import Run
from ..running.loads import Loaded, Shape, check_answers, measure_load
from ..running.processes import Process
from ..running.turns import compare, wait_and_total
from .dataset import make

TIMED_BY_THE_OBJECT = (US, BEFORE, OLD, BY_HAND)
CONNECTIONS = 16
ARTISTS = 200
AT_A_TIME = 100
CLIENTS = (1, 4, 16, 64, 256)
QUESTIONS = {'filter': 'filter(artist=...): 10 rows', 'get': 'get(pk)'}


def operations(run: Run) -> Iterator[Result]:
    """Time each operation."""
    for result in compare('operations', crew(run), run.wants):
        if result.work == 'import':
            result.note = (
                'By hand: import redis, which for IndexedRedis follows at the first connection.'
            )
        yield from wait_and_total(result) if 'above quiet, ms' in result.more else [result]


def growth(run: Run) -> Iterator[Result]:
    """Time an object of ever larger results, and small reads among other programs' keys."""
    processes = [each for each in crew(run) if each.name in TIMED_BY_THE_OBJECT]
    yield from compare('growth', processes, run.wants)


def asyncio(run: Run) -> Iterator[Result]:
    """Have a hundred clients ask at a time."""
    for result in _many_clients(run, [Shape(f'{AT_A_TIME} at a time on asyncio', 1, AT_A_TIME)]):
        result.note = '6.0.3 has no asyncio: threads. By hand: redis.asyncio.'
        yield result


def clients(run: Run) -> Iterator[Result]:
    """Have one client ask, then more and more at a time."""
    yield from _many_clients(run, [Shape(f'{count} at a time', 1, count) for count in CLIENTS])


def crew(run: Run) -> list[Process]:
    """Return the subjects, whose databases hold all rows."""

    def start() -> Iterator[Process]:
        how = {'data': run.file_of(run.data), 'sizes': run.options.sizes}
        for number, name in enumerate(run.subjects):
            at = {**run.connection, 'db': 2 * number}
            for process in run.start(name, 'rows.works', subject=name, connection=at, **how):
                run.say(f'{name}: storing {len(run.data.rows):,} rows ...')
                process.ask('fill')
                yield process

    return run.crew('rows', start)


def _many_clients(run: Run, shapes: list[Shape]) -> Iterator[Result]:
    numbers = random.Random(ARTISTS).choices(range(1, ARTISTS), k=run.sizes.questions)
    for question, title in QUESTIONS.items():
        wanted = [shape for shape in shapes if run.wants(f'{title}, {shape.name}')]
        if wanted:
            subjects = [Loaded(each.name, [each], question, run.server) for each in _askers(run)]
            check_answers(subjects, numbers)
        for shape in wanted:
            result = measure_load(shape, subjects, numbers, run.sizes.rounds, run.sizes.seconds)
            result.work, result.unit = f'{title}, {shape.name}', 'queries/s'
            yield result


def _askers(run: Run) -> list[Process]:
    """Return the subjects that many clients ask: on asyncio where they can, and in threads."""
    ways = {OLD: False, US: True, BEFORE: True, BY_HAND: True}
    ways |= {f'{name}, threads': False for name in (US, BEFORE)}
    data = run.file_of(make('artists', 10 * ARTISTS))

    def start() -> Iterator[Process]:
        for number, (name, tasks) in enumerate(ways.items()):
            if name.partition(',')[0] in run.subjects:
                how = {'connection': {**run.connection, 'db': 2 * number}, 'data': data}
                how |= {'sizes': run.options.sizes, 'tasks': tasks, 'connections': CONNECTIONS}
                for process in run.start(name, 'rows.works', subject=name, **how):
                    process.ask('fill')
                    yield process

    return run.crew('askers', start)
