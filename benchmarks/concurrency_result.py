"""``python -m benchmarks.concurrency`` in short: a hundred small queries at a time."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from .concurrency import OURS, QUERIES, check_answers, fill, start
from .concurrency import measure as measure_loads
from .results import BY_HAND, OLD, US, Result, figure

__all__ = ('measure',)

CLIENTS, COUNT = 100, 600
NAMES = {OURS: US, '6.0.3': OLD, 'by hand': BY_HAND, 'threads': f'{US}, threads'}
AIMS = {OLD: 5.0, BY_HAND: 2.0}


def measure(connection: dict[str, Any], rounds: int) -> list[Result]:
    """Queries a second, of asyncio and of threads."""
    found = []
    with ExitStack() as stack:
        fill({**connection, 'db': 0})
        subjects = start(stack, connection['port'])
        check_answers(subjects)
        for query, title in QUERIES.items():
            loads = measure_loads(subjects, query, CLIENTS, COUNT, rounds)
            figures = {
                NAMES[name]: figure([throughput for throughput, _, _ in each])
                for name, each in loads.items()
            }
            name = f'{title}, {CLIENTS} at a time on asyncio'
            note = '6.0.3 has no asyncio: threads. By hand: redis.asyncio.'
            aims = {name: aim for name, aim in AIMS.items() if name in figures}
            found.append(Result(name, 'queries/s', figures, aims, higher_is_better=True, note=note))
    return found
