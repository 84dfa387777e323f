"""``info``: statistics of a model, with advice.

The rule: it prints the result of ``objects.info()``.
"""

from __future__ import annotations

from typing import Annotated

import typer

from ... import ModelInfo
from ..common import ModelTarget, Run
from ..tables import memory, show

__all__ = ('main',)

HEADERS = ('field', 'type', 'values', 'objects each', 'memory', 'most frequent')
# Characters of a frequent value that the table shows.
MAX_VALUE_CHARACTERS = 24


def main(
    run: Run,
    target: ModelTarget,
    sample: Annotated[
        int, typer.Option(min=1, help='Rows, and index sets of a field, to measure.')
    ] = 1000,
) -> None:
    """Show what a model has stored: objects, fields, sizes of its index sets, memory, advice.

    Only reads, in small steps, beside any number of readers and writers.
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
    rows = []
    for field in report.fields:
        index = field.index
        cells: tuple[object, ...] = ('not indexed', '', '', '')
        if index is not None:
            each = f'{index.smallest:,} to {index.largest:,}'
            top = '\n'.join(f'{_shorten(name)} {count:,}' for name, count in index.frequent())
            cells = (index.sets, each, memory(index.memory), top)
        ordered = ', sorted' if field.sorted is not None else ''
        kind = field.type + ', hashIndex' * field.hashIndex + ordered
        rows.append((field.name, kind, *cells))
    show(run, HEADERS, rows)
    if report.tail():
        run.print(report.tail())


def _shorten(text: str) -> str:
    limit = MAX_VALUE_CHARACTERS
    return text if len(text) <= limit else f'{text[:limit]}...'
