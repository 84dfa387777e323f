"""The models that the catalogue is mirrored to, in two ways.

The rule: this file runs under this library and under IndexedRedis 6.0.3 as it is.

``Track`` has the names in place of keys, as a select with joins gives them: what a page shows is
one model, filled for that page. ``LinkedTrack`` has the tables as they are, with links.
"""

from __future__ import annotations

from IndexedRedis import IndexedRedisModel, IRField
from IndexedRedis.fields import IRForeignLinkField

__all__ = ('LinkedAlbum', 'LinkedArtist', 'LinkedTrack', 'RememberedTrack', 'Track')


class Track(IndexedRedisModel):
    """A track with the names of its artist and album."""

    FIELDS = [
        IRField('id', valueType=int),
        IRField('name'),
        IRField('artist_id', valueType=int),
        IRField('artist'),
        IRField('album'),
        IRField('milliseconds', valueType=int),
        IRField('unit_price', valueType=float),
    ]
    INDEXED_FIELDS = ['artist_id']
    KEY_NAME = 'HeadlineTrack'


class RememberedTrack(Track):
    """The same tracks; pages made of them are remembered until the server says that they changed.
    6.0.3 knows nothing of it."""

    CLIENT_SIDE_CACHE = 1000


class LinkedArtist(IndexedRedisModel):
    """An artist or band."""

    FIELDS = [IRField('id', valueType=int), IRField('name')]
    INDEXED_FIELDS = []
    KEY_NAME = 'HeadlineLinkedArtist'


class LinkedAlbum(IndexedRedisModel):
    """An album."""

    FIELDS = [
        IRField('id', valueType=int),
        IRForeignLinkField('artist', LinkedArtist),
        IRField('title'),
    ]
    INDEXED_FIELDS = []
    KEY_NAME = 'HeadlineLinkedAlbum'


class LinkedTrack(IndexedRedisModel):
    """A track; the select gives it the key of its artist besides, which pages are asked for by."""

    FIELDS = [
        IRField('id', valueType=int),
        IRField('name'),
        IRField('artist_id', valueType=int),
        IRForeignLinkField('artist', LinkedArtist),
        IRForeignLinkField('album', LinkedAlbum),
        IRField('milliseconds', valueType=int),
        IRField('unit_price', valueType=float),
    ]
    INDEXED_FIELDS = ['artist_id']
    KEY_NAME = 'HeadlineLinkedTrack'
