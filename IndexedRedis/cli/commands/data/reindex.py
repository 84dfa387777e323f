"""``reindex``: list all objects in the index sets and sorted sets of their model.

The rule: it works page by page, each safe beside other writers.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ...common import ModelTarget, Run
from ...walk import walk_of

__all__ = ('main',)


def main(
    run: Run,
    target: ModelTarget,
    rehash: Annotated[
        bool,
        typer.Option('--rehash', help='Needed after hashIndex of a field changed: drop old sets.'),
    ] = False,
) -> None:
    """Add all objects of a model to its index sets and sorted sets.

    These are the sets of its INDEXED_FIELDS, UNIQUE_FIELDS and SORTED_FIELDS.

    Needed after you added a field to one of these. Works in small steps, beside any number of
    readers and writers. A reset writes all sets anyway, so data of a later reset needs no reindex.
    """
    model = run.model(target)
    saver = model.saver
    index = saver.compat_convertHashedIndexes if rehash else saver.reindex
    walk, count = walk_of(model), 0
    with run.progress(model.__name__) as progress:
        for pks in walk.pages():
            objs = _some_of(model, pks)
            count += index([obj for obj in objs if obj is not None])
            progress('objects', count, max(walk.total, count))
    run.print(f'{model.__name__}: {count:,} objects indexed')
    run.data({'model': model.__name__, 'objects': count})


def _some_of(model: Any, pks: list[int]) -> Any:
    """Return partial objects; a model that only sorts has no indexed fields to fetch."""
    schema = model._validated()
    if schema.indexed or not schema.sorted:
        return model.objects.getMultipleOnlyIndexedFields(pks)
    return model.objects.getMultipleOnlyFields(pks, [column.name for column in schema.sorted])
