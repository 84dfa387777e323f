"""Tables: drawn by rich on a terminal, aligned plain text in a pipe or under cron."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from .run import Run

__all__ = ('memory', 'show')


def show(run: Run, headers: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a table; integers have thousands separators and stand to the right.

    :param headers: the name of each column
    :param rows: the cells
    """
    right = [any(isinstance(row[i], int) for row in rows) for i in range(len(headers))]
    cells = [[f'{cell:,}' if isinstance(cell, int) else str(cell) for cell in row] for row in rows]
    if run.out.is_terminal:
        table = Table(*headers, box=SIMPLE)
        for column, is_right in zip(table.columns, right, strict=True):
            column.justify = 'right' if is_right else 'left'
            column.overflow = 'fold'
        for row in cells:
            table.add_row(*map(Text, row))
        if not run.json:
            run.out.print(table, soft_wrap=False)
        return
    widths = [max(map(len, column)) for column in zip(headers, *cells, strict=True)]
    for row in [list(headers), *cells]:
        padded = [
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(row, widths, right, strict=True)
        ]
        run.print('  '.join(padded).rstrip())


def memory(count: int | None) -> str:
    """Return a number of bytes for people."""
    return 'unknown' if count is None else decimal(count)
