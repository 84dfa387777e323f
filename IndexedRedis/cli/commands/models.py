"""``models``: the models of a database.

The rule: it needs no class, since it reads the names of the keys.
"""

from __future__ import annotations

from typing import Annotated

import typer

from ... import findModels
from ..common import Run
from ..tables import bars, memory, show

__all__ = ('main',)

HEADERS = (
    'KEY_NAME',
    'objects',
    'index sets',
    'memory, about',
    'partitions',
    'work keys',
    'mirrored',
)


def main(
    run: Run,
    sample: Annotated[
        int, typer.Option(min=1, help='Rows, and index sets of a field, to estimate memory from.')
    ] = 100,
) -> None:
    """List the models of a database, by the names of its keys.

    Only reads, page by page, and needs no module of yours. Memory is estimated from a sample.
    """
    with run.progress() as progress:
        models = findModels(sample=sample, progress=progress)
    run.data([model.asDict() for model in models])
    if not models:
        run.print('no models found')
        run.hint('Another server is named by --url or INDEXEDREDIS_URL.')
        return
    rows = [
        (
            model.keyName if model.keyName.isprintable() else repr(model.keyName),
            model.objects,
            sum(model.indexSets.values()),
            memory(model.memory),
            model.partitions,
            model.workKeys,
            model.mirroredAt or '',
        )
        for model in models
    ]
    share = {'share': bars(run, [model.memory for model in models])}
    show(run, HEADERS, rows, share, rare=('partitions', 'work keys', 'mirrored'))
