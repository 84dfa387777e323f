"""The results as tables: a row for each subject, for the terminal and for the documentation.

The rule: ratios say how many times the pages of SQLAlchemy and MariaDB a subject made, by medians.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..machine import sentence
from ..results import Result
from ..table import aim_text, number, times
from .subjects import BASELINES, REMEMBERED

__all__ = ('as_rst', 'as_text', 'save', 'write_docs')

HEAD = ('subject', 'pages/s', 'times {baseline}', 'ms', 'ms, p99', 'us of CPU')
PAGE = Path(__file__).parents[2] / 'docs' / 'performance' / 'headline.rst'


def _rows(results: list[Result]) -> list[list[str]]:
    """The table of one shape: its head, then a row for each subject."""
    pages, *others = results
    baseline = next(name for name in BASELINES if name in pages.figures)
    rows = [[each.format(baseline=baseline) for each in HEAD]]
    for name, each in pages.figures.items():
        low, high = each.quartiles
        spread = f'{each.median:,.0f} ({low:,.0f}-{high:,.0f})'
        times = f'{each.median / pages.figures[baseline].median:.2f}'
        rows.append([name, spread, times, *(number(r.figures[name].median) for r in others)])
    return [row[: 3 + len(others)] for row in rows]


def as_text(results: list[Result]) -> str:
    """The results of one shape for the terminal."""
    rows = _rows(results)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [results[0].work]
    for name, *cells in rows:
        shown = (f'{cell:>{width}}' for cell, width in zip(cells, widths[1:], strict=True))
        lines.append(f'  {name:{widths[0]}}  {"  ".join(shown)}')
    return '\n'.join([*lines, *(f'  {each}' for each in _aims(results[0]))])


def _aims(pages: Result) -> list[str]:
    """How many times as many pages we make, where there is an aim."""
    return [
        f'Against {name}: {times(pages.ratio(name))}{aim_text(pages, name)}; '
        f'cached: {times(pages.ratio(name, REMEMBERED))}.'
        for name in pages.aims
    ]


def as_rst(on: dict[str, Any], shapes: list[list[Result]]) -> str:
    """All results for ``docs/performance.rst``."""
    lines = [f'Measured on {sentence(on)} {on["sql"]}.', '']
    for results in shapes:
        lines += [f'.. list-table:: {results[0].work}', '   :header-rows: 1', '']
        for cells in _rows(results):
            lines += [f'   {" " if at else "*"} - {cell}' for at, cell in enumerate(cells)]
        lines += ['', ' '.join(_aims(results[0])), '']
    return '\n'.join(lines)


def save(path: Path, on: dict[str, Any], shapes: list[list[Result]]) -> None:
    """Write every sample."""
    plain = [[each.as_json() for each in results] for results in shapes]
    path.write_text(json.dumps({'on': on, 'shapes': plain}, indent=1) + '\n', 'utf-8')


def write_docs(source: Path) -> None:
    """Make the table of the documentation, and the JSON file beside it, from that of a run."""
    plain = json.loads(source.read_text('utf-8'))
    shapes = [[Result.from_json(each) for each in results] for results in plain['shapes']]
    PAGE.parent.mkdir(exist_ok=True)
    save(PAGE.with_suffix('.json'), plain['on'], shapes)
    PAGE.write_text(as_rst(plain['on'], shapes), 'utf-8')
