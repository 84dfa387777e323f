"""A reset beside a reader: how long it takes, and how long the reader waits.

The rule: 6.0.3 takes part in one round only, since it needs most of a minute for 100,000 rows; the
next subject begins when Redis has removed what a reset of ours leaves for its grace time.
"""

from __future__ import annotations

import time
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


def measure(
    work: Work, workers: list[Worker], connection: dict[str, Any], settle: bool = True
) -> list[Result]:
    """Time the whole and the reader's longest wait.

    :param connection: of the reader, which reads in a database of its own
    :param settle: wait until Redis has removed what expires
    """
    client = redis.Redis(**connection)
    taken: dict[str, list[Any]] = {}
    waits: dict[str, list[float]] = {}
    paused = 0.0
    for worker in able(work, workers):
        worker.ask('clear')
    check(work, workers)  # also stores the rows that the first reset replaces
    for number in range(work.rounds):
        for worker in able(work, workers):
            if number >= work.seldom and worker.name not in (US, BY_HAND):
                continue
            if settle:
                _settle(client)
            with Reader(connection) as reader:
                taken.setdefault(worker.name, []).append(worker.ask('sample', work.task, work.args))
            waits.setdefault(worker.name, []).append(reader.waits['longest'])
            paused = max(paused, reader.waits['machine'])
    longest = Result(
        f'{work.name}: longest wait of a reader',
        'ms',
        {name: figure(each) for name, each in waits.items()},
        {OLD: WAIT_AIM},
        limit=MOST_MS,
        note=_note(connection, paused),
    )
    return [summed_up(work, taken), longest]


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
