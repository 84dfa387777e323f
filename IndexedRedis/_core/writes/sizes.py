"""Estimate the server time of rows, so that each script stays below five milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from ..mapping.schema import Schema

__all__ = (
    'FIELDS_IN_ONE_COMMAND',
    'SCRIPT_US',
    'STEP_US',
    'delete_us',
    'in_steps',
    'insert_us',
    'update_us',
)

# Fields of one object that a script passes to one command: unpack() of Lua returns at most some
# thousand values.
FIELDS_IN_ONE_COMMAND = 500
# Microseconds of the longest list that one script writes. Longer lists go in steps.
SCRIPT_US = 4000
# Microseconds of one step. Three steps are on the wire at a time, and the server may carry them out
# before it looks at other clients. Beside a list of 50,000 changed objects a PING waited 18 ms
# longer than beside nothing with steps of 2,000, and 4 with 1,000; some servers take twice as long.
STEP_US = 700

T = TypeVar('T')

# Fitted to scripts of 300 rows on Valkey 9.1 and a Xeon: within a fifth for 1 to 19 fields and 0 to
# 8 indexes. Sorted sets cost more, the larger they are: ZADD takes 2 us for a new member of 100,000
# and 4 us of a million, twice as much for another score, and ZREM a little less.


def insert_us(fields: int, indexes: int, scores: int = 0) -> int:
    """Return the microseconds that INSERT takes for a row.

    :param scores: number of sorted fields
    """
    return 5 + fields + 2 * indexes + 6 * scores


def update_us(fields: int, moves: int, scores: int = 0) -> int:
    """Return the microseconds that WRITE takes for a row whose index entries it compares.

    :param scores: number of sorted fields
    """
    return 10 + fields + 8 * moves + 16 * scores


def delete_us(schema: Schema) -> int:
    """Return the microseconds that a delete takes for a row."""
    return 3 + 2 * len(schema.indexed) + 5 * len(schema.sorted)


def in_steps(items: Iterable[T], us_of: Callable[[T], int]) -> Iterator[list[T]]:
    """Cut items into lists of about ``STEP_US``."""
    step: list[T] = []
    total = 0
    for item in items:
        step.append(item)
        total += us_of(item)
        if total >= STEP_US:
            yield step
            step, total = [], 0
    if step:
        yield step
