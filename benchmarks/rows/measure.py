"""Measure operations on rows, how they grow, and many of them at a time."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from typing import Any

import redis

from ..results import BEFORE, BY_HAND, OLD, US, Result
from ..run import Run
from ..running.loads import Loaded, Shape, check_answers, measure_load
from ..running.processes import Process
from ..running.turns import check, measure
from . import works

TIMED_BY_THE_OBJECT = (US, BEFORE, OLD, BY_HAND)
OTHERS = 10  # keys of other programs, for each row of ours
STEP = 10_000
FILL = """
for i = ARGV[1], ARGV[2] do redis.call('set', 'other:' .. i, 'a value of twenty bytes') end
"""
CONNECTIONS = 16
ARTISTS = 200
AT_A_TIME = 100
CLIENTS = (1, 4, 16, 64, 256)
QUESTIONS = {'filter': 'filter(artist=...): 10 rows', 'get': 'get(pk)'}


def operations(run: Run) -> Iterator[Result]:
    """Compare the answers of the subjects, then time each operation."""
    for work in works.operations(run.data, run.sizes):
        if not run.wants(work.name):
            continue
        processes = crew(run)
        if work.how in ('sample', 'beside'):
            for process in processes:
                process.ask('clear')
            check(work, processes)  # also stores the rows that the first reset replaces
        (result,) = measure([work], processes)
        if work.how == 'imported':
            result.note = (
                'By hand: import redis, which for IndexedRedis follows at the first connection. '
                f'Python {sys.version.split()[0]}.'
            )
        yield from _wait_and_total(result) if work.how == 'beside' else [result]


def growth(run: Run) -> Iterator[Result]:
    """Time an object of ever larger results, and small reads among other programs' keys."""
    large = works.of_an_object(run.data, run.sizes)
    others = OTHERS * run.sizes.rows
    small = works.among_others(run.data, run.sizes, others)
    for group in (large, small):
        wanted = [work for work in group if run.wants(work.name)]
        if not wanted:
            continue
        processes = [each for each in crew(run) if each.name in TIMED_BY_THE_OBJECT]
        if group is small:
            for number, process in enumerate(crew(run)):
                if process in processes:
                    process.ask('clear')
                    _copy(run, 2 * number, others)
        yield from measure(wanted, processes)


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

    def start() -> list[Process]:
        processes = []
        for number, name in enumerate(run.subjects):
            at = {**run.connection, 'db': 2 * number}
            path = str(run.file_of(run.data))
            processes += run.start(name, 'rows.tasks', subject=name, connection=at, data=path)
        for process in processes:
            run.say(f'{process.name}: storing {len(run.data.rows):,} rows ...')
            process.ask('fill')
        return processes

    return run.crew('rows', start)


def _wait_and_total(result: Result) -> Iterator[Result]:
    """Yield the longest wait of a reader beside a reset, then the whole time of the reset."""
    total, cpu = result.more.pop('took, ms'), result.more.pop('client CPU')
    quiet, pauses = (
        max(max(samples) for samples in result.more[heading].values())
        for heading in ('quiet, ms', 'pauses, ms')
    )
    note = (
        f'With nobody else at work the reader waited {quiet:.1f} ms at most. Its own pauses came '
        f'out up to {pauses:.1f} ms too long beside the resets: that much is the machine, where '
        'processes outnumber its cores.'
    )
    name = f'{result.work}: longest wait of a reader'
    yield Result(name, 'ms', result.samples, result.more, note=note)
    name = f'{result.work}, beside that reader'
    yield Result(name, 'ms', total, {'client CPU': cpu}, result.longest)


def _copy(run: Run, db: int, others: int) -> None:
    """Copy a database to the next one, and add keys of other programs."""
    client, beside = (redis.Redis(**{**run.connection, 'db': each}) for each in (db, db + 1))
    with client, beside:
        pipe = client.pipeline(transaction=False)
        for key in client.scan_iter(count=STEP):
            pipe.copy(key, key, db + 1)
            if len(pipe) == STEP:
                pipe.execute()
        pipe.execute()
        for start in range(0, others, STEP):
            beside.eval(FILL, 0, start, min(start + STEP, others) - 1)


def _many_clients(run: Run, shapes: list[Shape]) -> Iterator[Result]:
    numbers = random.Random(ARTISTS).choices(range(1, ARTISTS), k=run.sizes.questions)
    for question, title in QUESTIONS.items():
        wanted = [shape for shape in shapes if run.wants(f'{title}, {shape.name}')]
        if not wanted:
            continue
        subjects = [Loaded(each.name, [each], question, run.server) for each in _askers(run)]
        check_answers(subjects, numbers)
        for shape in wanted:
            result = measure_load(shape, subjects, numbers, run.sizes.rounds, run.sizes.seconds)
            result.work, result.unit = f'{title}, {shape.name}', 'queries/s'
            yield result


def _askers(run: Run) -> list[Process]:
    """Return the subjects that many clients ask: on asyncio where they can, and in threads."""
    ways: list[tuple[str, bool]] = [(OLD, False)]
    ways += [(name, True) for name in (US, BEFORE, BY_HAND)]
    ways += [(f'{name}, threads', False) for name in (US, BEFORE)]

    def start() -> list[Process]:
        data = str(run.file_of(run.dataset('artists', 10 * ARTISTS)))
        processes = []
        for number, (name, tasks) in enumerate(ways):
            if name.partition(',')[0] in run.subjects:
                at: dict[str, Any] = {'connection': {**run.connection, 'db': 2 * number}}
                how = {**at, 'data': data, 'tasks': tasks, 'connections': CONNECTIONS}
                processes += run.start(name, 'rows.tasks', subject=name, **how)
        for process in processes:
            process.ask('fill')
        return processes

    return run.crew('askers', start)
