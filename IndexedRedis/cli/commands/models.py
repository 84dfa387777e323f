"""``models``: which models does a database hold?

The rule: it needs no class, as it reads the names of the keys.
"""

from __future__ import annotations

from typing import Annotated

import typer

from ... import findModels
from ..common import Run, command
from ..tables import memory, show

__all__ = ('register',)

HEADERS = ('KEY_NAME', 'objects', 'index sets', 'memory, about', 'work keys', 'mirrored')


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(models)


def models(
    run: Run,
    sample: Annotated[
        int, typer.Option(min=1, help='Rows, and index sets of a field, to estimate memory from.')
    ] = 100,
) -> None:
    """List the models that a database holds, by the names of its keys.

    Reads only, page by page, and needs no module of yours. Memory is estimated from a sample.
    """
    with run.progress() as progress:
        found = findModels(sample=sample, progress=progress)
    run.data([model.asDict() for model in found])
    if not found:
        run.print('no models found')
        return
    rows = [
        (
            model.keyName if model.keyName.isprintable() else repr(model.keyName),
            model.objects,
            sum(model.indexSets.values()),
            memory(model.memory),
            model.workKeys,
            model.mirroredAt or '',
        )
        for model in found
    ]
    show(run, HEADERS, rows)
