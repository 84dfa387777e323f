"""How long the server works on rows: estimates that keep each script below five milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

__all__ = ('SCRIPT_UNITS', 'STEP_UNITS', 'in_steps', 'row_units')

# A unit is about a microsecond of a server of 2020 (WRITE of 20,000 rows of one field that moves
# between two index sets: 8.5 us a row, which counts 8).
# Rows that one script writes at once. Longer lists go in steps:
SCRIPT_UNITS = 4000
# Rows of a step of a longer list: short, as there are many.
STEP_UNITS = 2000

T = TypeVar('T')


def row_units(fields: int, moves: int) -> int:
    """Return the units of a row: so many fields written, so many index entries moved."""
    return 4 + fields + 3 * moves


def in_steps(items: Iterable[T], units_of: Callable[[T], int]) -> Iterator[list[T]]:
    """Cut items into lists of about ``STEP_UNITS``."""
    step: list[T] = []
    units = 0
    for item in items:
        step.append(item)
        units += units_of(item)
        if units >= STEP_UNITS:
            yield step
            step, units = [], 0
    if step:
        yield step
