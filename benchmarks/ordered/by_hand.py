"""Ask redis-py and hiredis by hand, on the keys of this library.

Each question takes the way that suits its data: a walk along the order where matches are met soon,
and a sorted intersection, during which all others wait, where they are met late.
"""

from typing import Any

import redis

from .rows import EVEN, SIZE, line

DATA, INDEX, PRICES = (f'_ir_|BenchItem:{name}' for name in ('data:', 'idx:', 'keys:sorted:price'))
STEP = 10 * SIZE  # pks of one step of a walk; an eighth of them match


class ByHand:
    """Sorted sets, sets and pipelines."""

    def __init__(self, connection: dict[str, Any]) -> None:
        self.client: Any = redis.Redis(**connection, decode_responses=True)

    def fill(self, count: int) -> None:
        """Leave it to the library."""

    def first(self, **filters: str) -> list[str]:
        if not filters:
            return self._lines(self.client.zrange(PRICES, 0, SIZE - 1))
        ((name, value),) = filters.items()
        index = f'{INDEX}{name}:{value}'
        if filters == EVEN:
            return self._lines(self._walk(index))
        pipe = self.client.pipeline()
        pipe.zinterstore('bench:found', {PRICES: 1, index: 0})
        _, pks, _ = pipe.zrange('bench:found', 0, SIZE - 1).unlink('bench:found').execute()
        return self._lines(pks)

    def place(self, number: int) -> Any:
        return self.client.zrange(PRICES, number * SIZE - 1, number * SIZE - 1, withscores=True)[0]

    def after(self, place: Any) -> list[str]:
        """Read on from a price; as few rows share one, a second page's worth covers the ties."""
        last, price = place
        how = {'byscore': True, 'withscores': True, 'offset': 0, 'num': 2 * SIZE}
        found = self.client.zrange(PRICES, price, '+inf', **how)
        behind = [pk for pk, score in found if (score, pk) > (price, last)]
        return self._lines(behind[:SIZE])

    def number(self, number: int) -> list[str]:
        return self._lines(self.client.zrange(PRICES, (number - 1) * SIZE, number * SIZE - 1))

    def among(self, artists: list[str]) -> list[str]:
        return self._lines(self.client.sunion([f'{INDEX}artist:{artist}' for artist in artists]))

    def _walk(self, index: str) -> list[str]:
        found: list[str] = []
        start = 0
        while len(found) < SIZE:
            pks = self.client.zrange(PRICES, start, start + STEP - 1)
            if not pks:
                break
            flags = self.client.smismember(index, pks)
            found += [pk for pk, matches in zip(pks, flags, strict=True) if matches]
            start += STEP
        return found[:SIZE]

    def _lines(self, pks: Any) -> list[str]:
        pipe = self.client.pipeline(transaction=False)
        for pk in pks:
            pipe.hmget(DATA + pk, 'name', 'price')
        return [line(pk, *row) for pk, row in zip(pks, pipe.execute(), strict=True)]
