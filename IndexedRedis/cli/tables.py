"""Tables and charts: drawn by rich on a terminal, aligned plain text in a pipe or under cron.

The rule: a terminal shows whole words. A table that is too wide is shown without its charts, and
if that is not enough, as a block for each row.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from rich.bar import Bar
from rich.box import SIMPLE_HEAD
from rich.filesize import decimal
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from .run import Run

__all__ = ('bars', 'memory', 'show', 'sparkline')

Rows = Sequence[Sequence[Any]]

BAR_CELLS = 8
LEVELS = '▁▂▃▄▅▆▇█'


def show(
    run: Run,
    headers: Sequence[str],
    rows: Rows,
    charts: Mapping[str, Sequence[str]] | None = None,
    rare: Collection[str] = (),
    wraps: bool = False,
) -> None:
    """Print a table; integers have thousands separators and stand to the right.

    :param headers: the name of each column
    :param rows: the cells
    :param charts: further columns, which only a terminal shows that can draw them
    :param rare: columns that a terminal leaves out if all their cells are empty or 0
    :param wraps: whether the last column may wrap between words
    """
    if not run.out.is_terminal:
        _print_plain(run, headers, rows)
        return
    kept = [i for i, name in enumerate(headers) if name not in rare or any(row[i] for row in rows)]
    headers, rows = [headers[i] for i in kept], [[row[i] for i in kept] for row in rows]
    drawn = charts if charts and run.charts else {}
    wide = (
        [*headers, *drawn],
        [[*row, *more] for row, *more in zip(rows, *drawn.values(), strict=True)],
    )
    for names, cells in (wide, (headers, rows)):
        table = _table(names, cells, wrapping=len(headers) - 1 if wraps else None)
        if _fits(run, table):
            run.print('', table)
            return
    _print_blocks(run, *wide)


def bars(run: Run, parts: Sequence[int | None]) -> list[str]:
    """Return the share of each part of a whole, with a bar; empty for 0 and for None."""
    whole = sum(part or 0 for part in parts)
    return [_bar(run, part / whole) if part else '' for part in parts]


def _bar(run: Run, share: float) -> str:
    segments = run.out.render(Bar(1.0, 0, share, width=BAR_CELLS))
    return f'{share:4.0%} {"".join(segment.text for segment in segments).rstrip()}'


def sparkline(counts: Sequence[int]) -> str:
    """Return a character for each number, as high as its share of the largest."""
    most = max(counts, default=0)
    return ''.join(LEVELS[(len(LEVELS) - 1) * count // most] for count in counts if most)


def memory(count: int | None) -> str:
    """Return a number of bytes for people."""
    return 'unknown' if count is None else decimal(count)


def _text(cell: Any) -> str:
    return f'{cell:,}' if isinstance(cell, int) else str(cell)


def _rights(headers: Sequence[str], rows: Rows) -> list[bool]:
    """Return for each column whether it stands to the right, as numbers do."""
    return [any(isinstance(row[i], int) for row in rows) for i in range(len(headers))]


def _print_plain(run: Run, headers: Sequence[str], rows: Rows) -> None:
    right = _rights(headers, rows)
    cells = [list(map(_text, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(headers, *cells, strict=True)]
    for row in [list(headers), *cells]:
        padded = [
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(row, widths, right, strict=True)
        ]
        run.print('  '.join(padded).rstrip())


def _table(headers: Sequence[str], rows: Rows, wrapping: int | None) -> Table:
    table = Table(*headers, box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    right = _rights(headers, rows)
    for i, column in enumerate(table.columns):
        is_right = right[i] or headers[i].startswith('memory')
        column.justify = 'right' if is_right else 'left'
        column.no_wrap = i != wrapping
    for row in rows:
        table.add_row(*(Text(_text(cell)) for cell in row))
    return table


def _fits(run: Run, table: Table) -> bool:
    """Return whether a table can be drawn with all words whole."""
    boundless = run.out.options.update_width(100_000)
    needed = Measurement.get(run.out, boundless, table).maximum
    for column in table.columns:
        if not column.no_wrap:
            cells = [
                Measurement.get(run.out, boundless, cell) for cell in (*column.cells, column.header)
            ]
            needed -= max(each.maximum for each in cells) - max(each.minimum for each in cells)
    return needed <= run.out.width


def _print_blocks(run: Run, headers: Sequence[str], rows: Rows) -> None:
    """Print the first cell of each row as a title, and the others as ``name: value``."""
    run.print('')
    for title, *cells in rows:
        run.print(Text(_text(title), 'bold'))
        for header, cell in zip(headers[1:], map(_text, cells), strict=True):
            if cell:
                run.print(f'  {header}: {cell.strip()}')
