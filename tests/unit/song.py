"""A model with a field of each temper: cheap, lazily decoded, mutable, raw."""

from __future__ import annotations

import datetime
from typing import Any

from IndexedRedis import IndexedRedisModel, IRField, IRRawField

NOON = datetime.datetime(2015, 5, 12, 12, 0, 1)
ROW = {'name': b'x', 'year': b'1980', 'cut': b'2015-05-12 12:00:01', 'tags': b'["a"]', 'raw': b'r'}


class Song(IndexedRedisModel):
    FIELDS = [
        IRField('name'),
        IRField('year', valueType=int),
        IRField('cut', valueType=datetime.datetime),
        IRField('tags', valueType=list, defaultValue=['new']),
        IRRawField('raw'),
    ]
    INDEXED_FIELDS = ['name', 'year']
    KEY_NAME = 'Song'


class Single(Song):
    KEY_NAME = 'Single'


def new(**values: Any) -> Song:
    """A new object of usual values, but for these."""
    return Song(**{'name': 'x', 'year': '1980', 'cut': NOON, 'tags': ['a'], 'raw': b'r', **values})
