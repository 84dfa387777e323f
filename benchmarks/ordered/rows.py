"""Make the rows: items with a price, of one genre of eight, and by artists with two items each."""

import random
from collections.abc import Iterator
from typing import Any

SIZE = 20  # rows of a page
BULK = 10_000  # rows of one save
# The pk before the first one. All pks have as many digits, so they are ordered alike as texts, as
# in a sorted set, and as numbers, as in SQL.
START = 10_000_000
EVEN = {'genre': 'Genre 7'}  # an eighth of the rows, at all prices
DEAR = {'shelf': 'dear'}  # the dearest eighth, which an order by price meets last
SEED = 11


def bulks(count: int) -> Iterator[list[dict[str, Any]]]:
    """Yield so many rows, some thousands at a time; every process makes the same."""
    chance = random.Random(SEED)

    def row(number: int) -> dict[str, Any]:
        price = chance.randrange(4 * count)  # some rows share one
        return {
            'name': f'Item {number}',
            'price': price,
            'genre': f'Genre {chance.randrange(8)}',
            'shelf': 'dear' if price >= 3.5 * count else 'other',
            'artist': f'Artist {chance.randrange(count // 2)}',
        }

    for start in range(0, count, BULK):
        yield [row(number) for number in range(start, min(start + BULK, count))]


def artists(count: int) -> list[str]:
    """Return so many values of ``artist``."""
    return [f'Artist {number}' for number in range(count)]


def line(pk: Any, name: str, price: Any) -> str:
    """Return the text that all subjects make of a row."""
    return f'{pk} {name} {price}'
