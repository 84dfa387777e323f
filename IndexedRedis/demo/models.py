"""The models that the shop's pages query: one for each select, with names in place of keys.

The rule: a user would write the same models. Only ``edition`` is for the demo: it distinguishes the
two data sets.
"""

from __future__ import annotations

from .. import IndexedRedisModel, IRField


class Artist(IndexedRedisModel):
    """An artist or band."""

    FIELDS = [IRField('artist_id', valueType=int), IRField('name')]
    INDEXED_FIELDS = ['name']
    KEY_NAME = 'ChinookArtist'


class Genre(IndexedRedisModel):
    """A genre, such as Rock."""

    FIELDS = [IRField('genre_id', valueType=int), IRField('name')]
    INDEXED_FIELDS = ['name']
    KEY_NAME = 'ChinookGenre'


class Album(IndexedRedisModel):
    """An album with the name of its artist."""

    FIELDS = [IRField('album_id', valueType=int), IRField('title'), IRField('artist')]
    INDEXED_FIELDS = ['title', 'artist']
    KEY_NAME = 'ChinookAlbum'


class Track(IndexedRedisModel):
    """A track with the names of its artist, album and genre; some have no composer."""

    FIELDS = [
        IRField('track_id', valueType=int),
        IRField('name'),
        IRField('artist'),
        IRField('album'),
        IRField('genre'),
        IRField('composer'),
        IRField('milliseconds', valueType=int),
        IRField('unit_price', valueType=float),
        IRField('edition', valueType=int),
    ]
    INDEXED_FIELDS = ['artist', 'album', 'genre', 'composer']
    KEY_NAME = 'ChinookTrack'
