"""Make the rows, of which groups of 10 and of 1,000 share a value."""

import random
from typing import Any

FEW, MANY = 10, 1_000  # rows of a group, and of a large one
KINDS = {'name': 'str', 'few': 'str', 'many': 'str', 'price': 'int'}
INDEXED = ['few', 'many']
SEED = 11


def rows(count: int) -> list[dict[str, Any]]:
    """Return so many rows, in the same random order in every process; each price is unique."""
    numbers = [*range(count)]
    random.Random(SEED).shuffle(numbers)
    few, many = (max(1, count // size) for size in (FEW, MANY))
    return [
        {'name': f'Item {n}', 'few': str(n % few), 'many': str(n % many), 'price': n}
        for n in numbers
    ]
