"""How cost grows: with the rows of a result, and with what else is in the database.

The rule: what should not grow takes turns with what it is compared with.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import redis

from .results import BY_HAND, OLD, US, Result, figure
from .workers import Worker, measure_all
from .works import Work

__all__ = ('beside_others', 'of_an_object')

FILL = """
for i = ARGV[1], ARGV[2] do redis.call('set', 'other:' .. i, 'a value of twenty bytes') end
"""
STEP = 10_000
NAMES = (US, OLD, BY_HAND)


def of_an_object(works: list[Work], workers: list[Worker], rounds: int) -> list[Result]:
    """The time of one object, in results of more and more of them."""
    taking_part = [worker for worker in workers if worker.name in NAMES]
    named = [
        replace(work, name=f'an object, of {work.objects:,}', rounds=rounds, aims={})
        for work in works
    ]
    return [
        _scaled(result, 1000 / work.objects)
        for work, result in zip(works, measure_all(named, taking_part), strict=True)
    ]


def _scaled(result: Result, scale: float) -> Result:
    figures, cpu = (
        {name: figure([each * scale for each in found.samples]) for name, found in every.items()}
        for every in (result.figures, result.cpu)
    )
    return Result(result.work, 'us', figures, cpu=cpu)


def beside_others(
    works: list[Work], workers: list[Worker], connection: dict[str, Any], others: int
) -> list[Result]:
    """Works again, in turns with the same on a copy that lies among keys of somebody else."""
    taking_part = [worker for worker in workers if worker.name in NAMES]
    for worker in taking_part:
        worker.ask('clear')
        with redis.Redis(**{**connection, 'db': worker.db}) as client:
            _copy(client, worker.db + 1)
        with redis.Redis(**{**connection, 'db': worker.db + 1}) as client:
            for start in range(0, others, STEP):
                client.eval(FILL, 0, start, min(start + STEP, others) - 1)
    pairs = []
    for work in works:
        among = {**work.args, 'place': 'scratch'}
        name = f'{work.name}, among {others:,} other keys'
        pairs += [replace(work, aims={}), replace(work, name=name, args=among, aims={})]
    return measure_all(pairs, taking_part)


def _copy(client: Any, db: int) -> None:
    """Copy all keys into another database."""
    pipe = client.pipeline(transaction=False)
    for key in client.scan_iter(count=STEP):
        pipe.copy(key, key, db)
        if len(pipe) == STEP:
            pipe.execute()
    pipe.execute()
