"""Two ways to do one thing, timed in turns; what counts is the ratio of each pair."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

__all__ = ('Duel', 'compare', 'row_of')


class Duel(NamedTuple):
    """Some work, done with a promise and without it; ``prepare`` comes before each, untimed."""

    promise: str
    work: str
    without: str
    kept: Callable[[], Any]
    blind: Callable[[], Any]
    count: int = 1
    prepare: Callable[[], Any] = lambda: None
    repeat: int = 41


def compare(duel: Duel) -> dict[str, Any]:
    """Time both in turns, the first one first every other time; the first turn warms up."""
    times: dict[str, list[float]] = {'kept': [], 'blind': []}
    for turn in range(duel.repeat + 1):
        for name in ('kept', 'blind') if turn % 2 else ('blind', 'kept'):
            duel.prepare()
            gc.collect()
            began = time.perf_counter()
            getattr(duel, name)()
            elapsed = (time.perf_counter() - began) * 1000 / duel.count
            if turn:
                times[name].append(elapsed)
    return row_of(duel, times['kept'], times['blind'])


def row_of(duel: Duel, kept: list[float], blind: list[float]) -> dict[str, Any]:
    ratios = [with_it / without for with_it, without in zip(kept, blind, strict=True)]
    low, median, high = statistics.quantiles(ratios, n=4)
    row = {
        'promise': duel.promise,
        'work': duel.work,
        'without': duel.without,
        'ms': statistics.median(kept),
        'ms_without': statistics.median(blind),
        'ratio': median,
        'low': low,
        'high': high,
    }
    print(
        f'{duel.promise:5} {duel.work:40} {row["ms"]:8.3f} ms {row["ms_without"]:8.3f} ms '
        f'{median:6.2f} ({low:.2f}-{high:.2f})  without: {duel.without}',
        flush=True,
    )
    return row
