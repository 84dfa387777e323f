"""Models of a small shop with a field of each kind, and values that would be code on a careless
page.
"""

from __future__ import annotations

import datetime
import enum
from decimal import Decimal

from sqlalchemy import Column, MetaData, String, Table

from IndexedRedis import IndexedRedisModel, IRField, IRRawField
from IndexedRedis.fields import (
    IRCompressedField,
    IREnumField,
    IRForeignLinkField,
    IRForeignMultiLinkField,
    IRPickleField,
)

SCRIPT = '<script>window.hacked = 1</script>'
QUOTES = '"><img src=x onerror="window.hacked = 2">\'{{ 7 * 7 }}'
GENRES = ('Rock', 'Jazz', 'Pop')
TRACKS = 45


class Kind(enum.Enum):
    """What a track came out on."""

    SINGLE = 'single'
    ALBUM = 'album'


class Boom:
    """Unpickling it ends the test."""

    def __reduce__(self):
        return exit, ('unpickled',)


class Artist(IndexedRedisModel):
    """An artist; names are unique."""

    FIELDS = [IRField('name'), IRField('born', valueType=int)]
    INDEXED_FIELDS = ['name']
    SORTED_FIELDS = ['name', 'born']
    UNIQUE_FIELDS = ['name']
    KEY_NAME = 'AdminArtist'


class Track(IndexedRedisModel):
    """A track, with a field of each kind."""

    FIELDS = [
        IRField('name'),
        IRField('seconds', valueType=int),
        IRField('price', valueType=Decimal),
        IRField('genre'),
        IRForeignLinkField('artist', Artist),
        IRForeignMultiLinkField('guests', Artist),
        IREnumField('kind', Kind),
        IRField('live', valueType=bool),
        IRField('day', valueType=datetime.date),
        IRField('more', valueType=dict),
        IRField('note'),
        IRPickleField('pickled'),
        IRRawField('raw'),
        IRCompressedField('lyrics'),
        IRField(SCRIPT),
    ]
    INDEXED_FIELDS = ['name', 'genre', 'artist', 'kind', 'live', SCRIPT]
    SORTED_FIELDS = ['name', 'seconds', 'day']
    KEY_NAME = 'AdminTrack'


MODELS = [Artist, Track]


class Color(IndexedRedisModel):
    """Mirrored from a table."""

    FIELDS = [IRField('name')]
    INDEXED_FIELDS = ['name']
    KEY_NAME = 'AdminColor'


COLORS = Table('color', MetaData(), Column('name', String, primary_key=True))


def fill():
    """Store three artists and 45 tracks, the first with hostile values, the second with nulls."""
    Artist.reset(
        [Artist(name=name, born=1940 + i) for i, name in enumerate(('Abba', 'Ella', QUOTES))]
    )
    Track.reset([track(i) for i in range(TRACKS)])


def track(i):
    """A track."""
    if i == 1:
        return Track(name='nulls')
    return Track(
        name=QUOTES if i == 0 else f'Track {i}',
        seconds=100 + i,
        price='0.99',
        genre=GENRES[i % 3],
        artist=1 + i % 3,
        guests=[1, 2] if i % 2 else None,
        kind=Kind.SINGLE,
        live=i % 2,
        day=datetime.date(2024, 1, 1 + i % 28),
        more={'a': SCRIPT},
        note='two\nlines',
        pickled=Boom(),
        raw=b'\xff\x00',
        lyrics='la ' * 100,
        **{SCRIPT: SCRIPT},
    )
