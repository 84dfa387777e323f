"""Replacing all objects, staged and swapped or in one go, under the eyes of a reader."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from typing import Any

import redis

from IndexedRedis._core.flows import Command, Flow, ask, chunks

from .duel import Duel, compare, row_of
from .shop import ROWS, Shop, as_transaction, number, stored

__all__ = ('resets',)


class Reader:
    """A process that asks all the time, and knows how long it had to wait at most."""

    def __init__(self, params: dict[str, Any], key: bytes) -> None:
        context = multiprocessing.get_context('spawn')
        self._pipe, there = context.Pipe()
        self._process = context.Process(target=_read, args=(params, key, there), daemon=True)
        self._process.start()

    def longest(self) -> float:
        """Milliseconds of the longest wait since the last call."""
        self._pipe.send(True)
        return float(self._pipe.recv())

    def stop(self) -> None:
        """End the process."""
        self._pipe.send(False)
        self._process.join()


def _read(params: dict[str, Any], key: bytes, pipe: Any) -> None:
    client = redis.Redis(**params)
    longest = 0.0
    while True:
        began = time.perf_counter()
        client.scard(key)
        longest = max(longest, time.perf_counter() - began)
        if pipe.poll():
            if not pipe.recv():
                return
            pipe.send(longest * 1000)
            longest = 0.0


def blind_reset(shop: Shop, objs: list[Any]) -> Flow[None]:
    """Everything in one ``MULTI``; nobody else may write meanwhile."""
    entries = shop.entries(objs)
    old = yield from ask('SMEMBERS', shop.keys.all)
    yield from number(shop, entries)
    commands, grouped = stored(shop, entries)
    gone = [shop.keys.data(int(pk)) for pk in old]
    drop: list[Command] = [('UNLINK', *some) for some in chunks([*gone, *grouped], 1000)]
    yield as_transaction([*drop, *commands])


def resets(shop: Shop, repeat: int) -> list[dict[str, Any]]:
    """Time of a reset, and the longest wait of a reader meanwhile."""
    shop.fill(ROWS)
    reader = Reader(shop.params, shop.keys.all)
    waits: dict[str, list[float]] = {'kept': [], 'blind': []}
    objs: list[Any] = []

    def timed(name: str, work: Callable[[], Any]) -> Callable[[], None]:
        def run() -> None:
            reader.longest()
            work()
            waits[name].append(reader.longest())

        return run

    duel = Duel(
        '4, 5',
        f'reset of {ROWS:,}, in all',
        'everything in one ``MULTI``',
        timed('kept', lambda: shop.model.reset(objs)),
        timed('blind', lambda: shop.run(blind_reset(shop, objs))),
        prepare=lambda: objs.__setitem__(slice(None), shop.make(ROWS)),
        repeat=repeat,
    )
    total = compare(duel)
    reader.stop()
    kept, blind = waits['kept'][1:], waits['blind'][1:]
    waited = duel._replace(work='the longest wait of a reader during that')
    return [total, row_of(waited, kept, blind)]
