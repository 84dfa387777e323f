"""A reset: how long it takes, and how long a reader waits beside it.

The rule: the total is that of a reset that has its machine to itself, since a reader, who would
take the core of the client from the one subject and wait for the other, would be part of it. 6.0.3
takes part in one round of each only, since it needs most of a minute for 100,000 rows; the next
subject begins when Redis has removed what a reset of ours leaves for its grace time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import redis

from .reader import Reader
from .results import BY_HAND, OLD, US, Result, figure
from .workers import Worker, able, check, summed_up
from .works import Work

__all__ = ('measure',)

WAIT_AIM, MOST_MS = 100.0, 15.0
ALONE_SECONDS = 1
SETTLE_SECONDS = 30  # the grace time is 10

Taken = dict[str, list[Any]]


def measure(
    work: Work, workers: list[Worker], connection: dict[str, Any], settle: bool = True
) -> Iterator[Result]:
    """Time the whole; then the reader's longest wait, and the whole beside the reader.

    :param connection: of the reader, which reads in a database of its own
    :param settle: wait until Redis has removed what expires
    """
    client = redis.Redis(**connection)
    for worker in able(work, workers):
        worker.ask('clear')
    check(work, workers)  # also stores the rows that the first reset replaces

    def rounds(sample: Callable[[Worker], Any]) -> Taken:
        taken: Taken = {}
        for number in range(work.rounds):
            for worker in able(work, workers):
                if number < work.seldom or worker.name in (US, BY_HAND):
                    if settle:
                        _settle(client)
                    taken.setdefault(worker.name, []).append(sample(worker))
        return taken

    def alone(worker: Worker) -> Any:
        return worker.ask('sample', work.task, work.args)

    def beside(worker: Worker) -> Any:
        with Reader(connection) as reader:
            sample = alone(worker)
        return sample, reader.waits

    yield summed_up(work, rounds(alone))
    yield from _beside_a_reader(work, rounds(beside), connection)


def _beside_a_reader(work: Work, taken: Taken, connection: dict[str, Any]) -> Iterator[Result]:
    waits = {name: [waits for _, waits in samples] for name, samples in taken.items()}
    yield Result(
        f'{work.name}: longest wait of a reader',
        'ms',
        {name: figure([each['longest'] for each in some]) for name, some in waits.items()},
        {OLD: WAIT_AIM},
        limit=MOST_MS,
        note=_note(connection, max(each['machine'] for some in waits.values() for each in some)),
    )
    beside = {name: [sample for sample, _ in samples] for name, samples in taken.items()}
    yield summed_up(replace(work, name=f'{work.name}, beside that reader', aims={}), beside)


def _note(connection: dict[str, Any], paused: float) -> str:
    with Reader(connection) as reader:
        time.sleep(ALONE_SECONDS)
    return (
        f'With nobody else at work the reader waited {reader.waits["longest"]:.1f} ms at most. Its '
        f'own pauses came out up to {paused:.1f} ms too long beside the resets: that much is the '
        'machine, where processes outnumber its cores.'
    )


def _settle(client: Any) -> None:
    latest = time.monotonic() + SETTLE_SECONDS
    while any(each['expires'] for each in client.info('keyspace').values()):
        if time.monotonic() > latest:
            return
        time.sleep(0.2)
