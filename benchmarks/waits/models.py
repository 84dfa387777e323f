"""Define the models and mirrors that the command line works on, from the dataset of the run."""

import os

from IndexedRedis import IndexedRedisModel, IRField
from IndexedRedis.fields import IRForeignLinkField
from IndexedRedis.mirror import Mirror

from ..rows.dataset import load

DATA = load(os.environ['BENCHMARKS_DATASET'])  # without its rows
VALUES = [IRField(key, valueType=int if kind == 'int' else str) for key, kind in DATA.kinds.items()]


class Parent(IndexedRedisModel):
    """A value of the field that updates change."""

    FIELDS = [IRField('name')]
    INDEXED_FIELDS = ['name']
    KEY_NAME = 'BenchParent'


class Row(IndexedRedisModel):
    """A row with a link, and with an index of as many values as there are rows."""

    FIELDS = [
        *VALUES,
        IRField('number', valueType=int, hashIndex=True),
        IRForeignLinkField('parent', Parent),
    ]
    INDEXED_FIELDS = [*DATA.indexed, 'number']
    KEY_NAME = 'BenchRow'


class Written(IndexedRedisModel):
    """A row that long writes store."""

    FIELDS = VALUES
    INDEXED_FIELDS = DATA.indexed
    KEY_NAME = 'BenchWritten'


def _mirror(rows: str, **how: str) -> Mirror:
    """Return a mirror of a SELECT of rows."""
    parents = f'SELECT DISTINCT {DATA.changed} AS name FROM rows WHERE {DATA.changed} IS NOT NULL'
    url = f'sqlite:///{os.environ["BENCHMARKS_SQLITE"]}'
    keys = {Row: 'number', Parent: 'name'}
    return Mirror(url, {Row: rows, Parent: parents}, keys=keys, dangling='null', **how)


*_, VARIED = (key for key, kind in DATA.kinds.items() if kind == 'int' and key not in DATA.indexed)
OTHERS = ', '.join(key for key in DATA.kinds if key != VARIED)
SELECT = f'SELECT number, {OTHERS}, {DATA.changed} AS parent, {{}} AS {VARIED} FROM rows'
everything = _mirror(SELECT.format(VARIED))
changed = _mirror(SELECT.format(f'{VARIED} + (number % 1000 = 0)'), mode='diff')
