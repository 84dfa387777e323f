"""Measure the duels, then resets under the eyes of a reader."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from typing import Any

from .. import machine
from ..results import US, Result
from ..run import Run
from ..running.reader import Reader
from ..running.turns import take_turns
from .reads import gets, large_queries, pools, small_queries
from .shop import Duel, Shop
from .writes import bulk_insert, deletes, inserts, updates

RESETS = 25


def promises(run: Run) -> Iterator[Result]:
    """Time each duel. Times include waking the other core unless both share one."""
    shop = Shop(run.connection, run.sizes.duels + 101)
    for make in (inserts, updates, bulk_insert, deletes, gets, small_queries, large_queries, pools):
        if make is gets:
            shop.fill(shop.size)
        for duel in make(shop):
            if run.wants(duel.work):
                yield fight(duel._replace(repeat=min(duel.repeat, 7 * run.sizes.rounds)))
    shop.fill(run.sizes.duels)
    machine.place(run.server, 'free')
    if run.wants('reset'):
        yield from _resets(run, shop, min(RESETS, 2 * run.sizes.rounds))
    shop.clear()


def fight(duel: Duel) -> Result:
    """Return the times of both ways, which take turns."""

    def sample(way: Any) -> float:
        duel.prepare()
        gc.collect()
        began = time.perf_counter()
        way()
        return 1000 * (time.perf_counter() - began) / duel.count

    samples = take_turns([duel.kept, duel.blind], lambda way: duel.repeat, sample)
    return _result(duel, samples[duel.kept], samples[duel.blind])


def _resets(run: Run, shop: Shop, repeat: int) -> Iterator[Result]:
    """Yield the time of a reset, and the longest wait of a reader meanwhile."""
    objects: list[Any] = []

    def blind() -> None:
        (pks,) = shop.send(('SMEMBERS', shop.keys.all))
        commands = shop.storing(shop.rows[: run.sizes.duels])
        old = [shop.keys.data(int(pk)) for pk in pks]
        sets = [command[1] for command in commands if command[0] == 'SADD']
        shop.transaction([('UNLINK', *old, *sets), *commands])

    duel = Duel('4, 5', f'reset of {run.sizes.duels:,}, in all', 'everything in one ``MULTI``',
                lambda: shop.model.reset(objects), blind)  # fmt: skip

    with Reader(run.connection) as reader:

        def sample(way: Any) -> tuple[float, float]:
            objects[:] = shop.make(run.sizes.duels)
            reader.waits()
            began = time.perf_counter()
            way()
            return 1000 * (time.perf_counter() - began), 1000 * reader.waits()['longest']

        samples = take_turns([duel.kept, duel.blind], lambda way: repeat, sample)
    names = (duel.work, 'the longest wait of a reader during that')
    for at, name in enumerate(names):
        ways = ([each[at] for each in some] for some in samples.values())
        yield _result(duel._replace(work=name), *ways)


def _result(duel: Duel, kept: list[float], blind: list[float]) -> Result:
    samples = {US: kept, f'without: {duel.without}': blind}
    return Result(duel.work, 'ms', samples, note=f'Promise {duel.promise}.')
