"""A small result for the tests of lists: songs A, B and C, and 0, all of whose values are null."""

from __future__ import annotations

import datetime
from typing import Any

from IndexedRedis import IndexedRedisModel, IRField, IRQueryableList


class Song(IndexedRedisModel):
    FIELDS = [
        IRField('name'),
        IRField('year', valueType=int),
        IRField('cut', valueType=datetime.datetime),
        IRField('tags', valueType=list),
    ]
    INDEXED_FIELDS = ['name', 'year']
    KEY_NAME = 'Song'


A = Song(name='Abba, Cher', year=1980, cut='2015-05-12 12:00:01', tags=[1, 2])
B = Song(name='beck', year=1990, cut='2016-05-12 12:00:01', tags=[2, 3])
C = Song(name='Cher', year=1985)
NULLS = Song()
SONGS = IRQueryableList([A, B, C, NULLS], mdl=Song)
LETTERS = {id(A): 'A', id(B): 'B', id(C): 'C', id(NULLS): '0'}


def letters(songs: Any) -> str:
    """Which songs these are, by letters."""
    return ''.join(LETTERS[id(song)] for song in songs)


def is_result(songs: Any) -> bool:
    """Whether this is a list that knows its model."""
    return type(songs) is IRQueryableList and songs.getModel() is Song
