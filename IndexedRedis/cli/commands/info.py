"""``info``: statistics of a model, with advice.

The rule: it prints the result of ``objects.info()``.
"""

from __future__ import annotations

from typing import Annotated

import typer

from ... import ModelInfo
from ..common import ModelTarget, Run
from ..tables import bars, memory, show, sparkline

__all__ = ('main',)

HEADERS = ('field', 'type', 'index sets', 'objects each', 'memory')
# Characters of a frequent value that the table shows.
MAX_VALUE_CHARACTERS = 24


def main(
    run: Run,
    target: ModelTarget,
    sample: Annotated[
        int, typer.Option(min=1, help='Rows, and index sets of a field, to measure.')
    ] = 1000,
) -> None:
    """Show what a model has stored, and what could be better.

    The report has its objects, fields, sizes of its index sets, memory and advice.

    The command only reads, in small steps, beside any number of readers and writers.
    """
    model = run.model(target)
    with run.progress(model.__name__) as progress:
        report = model.objects.info(sample, progress)
    run.data(report.asDict())
    if run.out.is_terminal and not run.json:
        _draw(run, report)
    else:
        run.print(str(report))


def _draw(run: Run, report: ModelInfo) -> None:
    """Print the report with a table, for a terminal."""
    run.print(report.head())
    if not report.objects:
        run.hint('Nothing is stored. Another server is named by --url or INDEXEDREDIS_URL.')
    rows = []
    for field in report.fields:
        index = field.index
        cells: tuple[object, ...] = ('', '', '')
        if index is not None:
            cells = (index.sets, f'{index.smallest:,} to {index.largest:,}', memory(index.memory))
        ordered = ', sorted' if field.sorted is not None else ''
        rows.append((field.name, field.type + ', hashIndex' * field.hashIndex + ordered, *cells))
    indexes = [field.index.memory if field.index else None for field in report.fields]
    show(run, HEADERS, rows, {'share': bars(run, indexes)})
    _draw_frequent(run, report)
    if report.tail():
        run.print('', report.tail())


def _draw_frequent(run: Run, report: ModelInfo) -> None:
    """Print the most frequent values of each indexed field."""
    rows, charts = [], []
    for field in report.fields:
        frequent = field.index.frequent() if field.index is not None else ()
        if field.index is not None and frequent:
            rows.append((field.name, ', '.join(f'{_shorten(v)} {n:,}' for v, n in frequent)))
            charts.append(sparkline([count for value, count in field.index.top]))
    if rows:
        show(run, ('field', 'most frequent values'), rows, {'top 10': charts}, wraps=True)


def _shorten(text: str) -> str:
    limit = MAX_VALUE_CHARACTERS
    return text if len(text) <= limit else f'{text[:limit]}...'
