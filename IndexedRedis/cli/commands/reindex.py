"""``reindex``: list all objects in the indexes of ``INDEXED_FIELDS``.

The rule: page by page, each safe beside other writers.
"""

from __future__ import annotations

from typing import Annotated

import typer

from ..common import Run, command
from ..walk import Walk

__all__ = ('register',)


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(reindex)


def reindex(
    run: Run,
    target: Annotated[str, typer.Argument(metavar='MODEL', help='package.module:Name')],
    rehash: Annotated[
        bool, typer.Option('--rehash', help='After hashIndex of a field changed: drop the others.')
    ] = False,
) -> None:
    """List all objects of a model in the indexes of its INDEXED_FIELDS.

    Needed after a field was added to them. Works in small steps, beside any number of readers and
    writers. A reset writes all indexes anyway, so what comes after one is indexed already.
    """
    model = run.model(target)
    saver = model.saver
    index = saver.compat_convertHashedIndexes if rehash else saver.reindex
    walk, count = Walk(model), 0
    with run.progress(model.__name__) as progress:
        for pks in walk.pages():
            objs = model.objects.getMultipleOnlyIndexedFields(pks)
            count += index([obj for obj in objs if obj is not None])
            progress('objects', count, max(walk.total, count))
    run.print(f'{model.__name__}: {count:,} objects indexed')
    run.data({'model': model.__name__, 'objects': count})
