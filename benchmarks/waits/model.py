"""Define the models that the command line works on, from the dataset of the run."""

from __future__ import annotations

import os

from IndexedRedis import IndexedRedisModel, IRField
from IndexedRedis.fields import IRForeignLinkField

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
