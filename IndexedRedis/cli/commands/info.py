"""``info``: statistics of a model, with advice.

The rule: it prints what ``objects.info()`` found.
"""

from __future__ import annotations

from typing import Annotated

import typer

from ... import ModelInfo
from ..common import Run, command
from ..tables import memory, show

__all__ = ('register',)

HEADERS = ('field', 'type', 'values', 'objects each', 'memory', 'most frequent')
_WIDE = 24


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(info)


def info(
    run: Run,
    target: Annotated[str, typer.Argument(metavar='MODEL', help='package.module:Name')],
    sample: Annotated[
        int, typer.Option(min=1, help='Rows, and index sets of a field, to look at closely.')
    ] = 1000,
) -> None:
    """Tell what a model has stored: objects, fields, how its indexes are filled, memory, advice.

    Reads only, in small steps, beside any number of readers and writers.
    """
    model = run.model(target)
    with run.progress(model.__name__) as progress:
        found = model.objects.info(sample, progress)
    run.data(found.asDict())
    if run.out.is_terminal and not run.json:
        _draw(run, found)
    else:
        run.print(str(found))


def _draw(run: Run, found: ModelInfo) -> None:
    """The same with a table, for a terminal."""
    run.print(found.head())
    rows = []
    for field in found.fields:
        index = field.index
        cells: tuple[object, ...] = ('not indexed', '', '', '')
        if index is not None:
            each = f'{index.smallest:,} to {index.largest:,}'
            top = '\n'.join(f'{_short(name)} {count:,}' for name, count in index.frequent())
            cells = (index.sets, each, memory(index.memory), top)
        rows.append((field.name, field.type + ', hashIndex' * field.hashIndex, *cells))
    show(run, HEADERS, rows)
    if found.tail():
        run.print(found.tail())


def _short(text: str) -> str:
    return text if len(text) <= _WIDE else f'{text[:_WIDE]}...'
