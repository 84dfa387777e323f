"""Define the models that the catalogue is mirrored to, in two ways.

This file runs under this library and under IndexedRedis 6.0.3 as it is. ``Track`` is filled by a
select with joins: it has all that a page shows. ``LinkedTrack`` has the tables as they are.
"""

from IndexedRedis import IndexedRedisModel, IRField
from IndexedRedis.fields import IRForeignLinkField


def _of_a_track() -> list[IRField]:
    numbers = [IRField(name, valueType=int) for name in ('id', 'artist_id', 'milliseconds')]
    return [*numbers, IRField('name'), IRField('unit_price', valueType=float)]


class Track(IndexedRedisModel):
    """A track with the names of its artist and album."""

    FIELDS = [*_of_a_track(), IRField('artist'), IRField('album')]
    INDEXED_FIELDS = ['artist_id']
    KEY_NAME = 'HeadlineTrack'


class CachedTrack(Track):
    """The same tracks with a client-side cache, which 6.0.3 lacks."""

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
    """A track; ``artist_id`` is the key of its artist, which pages filter by."""

    FIELDS = [
        *_of_a_track(),
        IRForeignLinkField('artist', LinkedArtist),
        IRForeignLinkField('album', LinkedAlbum),
    ]
    INDEXED_FIELDS = ['artist_id']
    KEY_NAME = 'HeadlineLinkedTrack'


ALL = (Track, CachedTrack, LinkedArtist, LinkedAlbum, LinkedTrack)
