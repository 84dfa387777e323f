"""List all measurements: what ``python -m benchmarks GROUP`` measures, and on which cores."""

import random
from collections.abc import Callable, Iterator
from typing import NamedTuple

from . import machine
from .results import BEFORE, BY_HAND, OLD, US, Result
from .rows.dataset import make
from .run import Run
from .running.load import Loaded, Shape, ask_in_turns
from .running.process import Process
from .running.turns import compare, wait_and_total
from .table import Bases

WITHOUT = 'without it'  # the promise
ALONE = 'the node alone'  # of a cluster
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


def page(run: Run) -> Iterator[Result]:
    """Time pages by many clients."""
    from .page.measure import pages

    yield from pages(run)


def ordered(run: Run) -> Iterator[Result]:
    """Time pages in an order and lists of values, on more and more rows."""
    from .ordered.measure import questions

    yield from questions(run)


def promises(run: Run) -> Iterator[Result]:
    """Time each work with a promise and without it."""
    crew = run.crew('promises.shop', [US, WITHOUT])
    yield from compare(run, 'promises', crew)
    # A reader has to run while the server resets.
    machine.place(run.server, 'free', [process.pid for process in crew])
    for result in compare(run, 'resets', crew):
        yield from wait_and_total(result)


def waits(run: Run) -> Iterator[Result]:
    """Time the waits of a PING beside each command, then beside each write."""
    from .waits.rows import prepare

    names = [each for each in (US, BEFORE) if each in run.subjects]
    yield from compare(run, 'waits', run.crew('waits.works', names, **prepare(run)))


def cluster(run: Run) -> Iterator[Result]:
    """Time works on the node of a cluster, which is found by a route, or connected to alone."""
    from IndexedRedis.testing.clusters import start_cluster

    config = {'latency-tracking-info-percentiles': '100'}
    with start_cluster(primaries=1, replicas=0, config=config) as one:
        (node,) = one.nodes
        machine.place(node.process and node.process.pid, 'together')
        yield from compare(run, 'cluster', run.crew('nodes.works', [US, ALONE], node=node.params))
        run.dismiss()


class Measurement(NamedTuple):
    """One group."""

    title: str  # for the help text
    results: Callable[[Run], Iterator[Result]]  # yields each as soon as it is there
    cores: str = 'apart'  # see `benchmarks.machine.place`
    bases: Bases = ()  # see `benchmarks.table.by_subject`


ORM = [(f'{name}, ORM, joins', f'{name}, ORM, selectinload') for name in ('MariaDB', 'SQLite')]
GROUPS = {
    'operations': Measurement('each operation, against 6.0.3 and others', operations),
    'growth': Measurement('how the cost of reads grows', growth),
    'asyncio': Measurement('a hundred small queries at a time', asyncio),
    'clients': Measurement('1 to 256 small queries at a time', clients, 'free'),
    'page': Measurement('a page of a web application, against SQL', page, 'free', ORM),
    'ordered': Measurement('a page in order, against redis-py by hand and SQL', ordered, 'free'),
    'promises': Measurement('what each promise costs', promises, 'together', [(US,)]),
    'cluster': Measurement('what the way to a node costs', cluster, 'together', [(US,)]),
    'waits': Measurement('how long others wait beside commands and long writes', waits, 'free'),
}
DEFAULT = ('operations', 'growth', 'asyncio')
