"""The catalogue with its links, in one slot of a cluster.

The rule: the tag ``{chinook}`` in each ``KEY_NAME`` is all that a model needs for a cluster.
"""

from __future__ import annotations

from .. import IndexedRedisModel, IRField
from ..fields import IRForeignLinkField


class Artist(IndexedRedisModel):
    """An artist or band."""

    FIELDS = [IRField('id', valueType=int), IRField('name')]
    INDEXED_FIELDS = ['name']
    KEY_NAME = '{chinook}Artist'


class Genre(IndexedRedisModel):
    """A genre, such as Rock."""

    FIELDS = [IRField('id', valueType=int), IRField('name')]
    INDEXED_FIELDS = ['name']
    KEY_NAME = '{chinook}Genre'


class Album(IndexedRedisModel):
    """An album, with a link to its artist."""

    FIELDS = [
        IRField('id', valueType=int),
        IRField('title'),
        IRForeignLinkField('artist', Artist),
    ]
    INDEXED_FIELDS = ['artist']
    KEY_NAME = '{chinook}Album'


class Track(IndexedRedisModel):
    """A track, with links to its album and genre."""

    FIELDS = [
        IRField('id', valueType=int),
        IRField('name'),
        IRForeignLinkField('album', Album),
        IRForeignLinkField('genre', Genre),
        IRField('composer'),
        IRField('milliseconds', valueType=int),
        IRField('unit_price', valueType=float),
    ]
    INDEXED_FIELDS = ['album', 'genre']
    KEY_NAME = '{chinook}Track'
