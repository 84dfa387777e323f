"""Define the models and mirrors that the command line works on in the group ``waits``.

A command imports this file by its name alone, from this folder. ``BENCHMARKS_ROWS`` describes the
rows.
"""

import json
import os

from IndexedRedis import IndexedRedisModel, IRField
from IndexedRedis.fields import IRForeignLinkField
from IndexedRedis.mirror import Mirror

ROWS = json.loads(os.environ['BENCHMARKS_ROWS'])
KINDS, INDEXED, CHANGED = ROWS['kinds'], ROWS['indexed'], ROWS['changed']


class Parent(IndexedRedisModel):
    """A value of the field that updates change."""

    FIELDS = [IRField('name')]
    INDEXED_FIELDS = ['name']
    KEY_NAME = 'BenchParent'


class Row(IndexedRedisModel):
    """A row with a link, and with an index of as many values as there are rows."""

    FIELDS = [
        *(IRField(key, valueType=int if kind == 'int' else str) for key, kind in KINDS.items()),
        IRField('number', valueType=int, hashIndex=True),
        IRForeignLinkField('parent', Parent),
    ]
    INDEXED_FIELDS = [*INDEXED, 'number']
    KEY_NAME = 'BenchRow'


def _mirror(varied: str, **how: str) -> Mirror:
    """Return a mirror of all rows; ``varied`` replaces the last number that is not indexed."""
    *_, last = (key for key, kind in KINDS.items() if kind == 'int' and key not in INDEXED)
    columns = [f'{varied.format(last)} AS {key}' if key == last else key for key in KINDS]
    rows = f'SELECT number, {CHANGED} AS parent, {", ".join(columns)} FROM rows'
    parents = f'SELECT DISTINCT {CHANGED} AS name FROM rows WHERE {CHANGED} IS NOT NULL'
    keys = {Row: 'number', Parent: 'name'}
    return Mirror(ROWS['url'], {Row: rows, Parent: parents}, keys=keys, dangling='null', **how)


everything = _mirror('{}')
changed = _mirror('{} + (number % 1000 = 0)', mode='diff')
