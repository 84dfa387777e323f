"""The same in Redis: what the web workers read. ``mirror`` copies it from SQL, in one swap."""

from decimal import Decimal

from IndexedRedis import IndexedRedisModel, IRField
from IndexedRedis.fields import IRDatetimeField, IRForeignLinkField, IRForeignMultiLinkField
from IndexedRedis.mirror import Mirror

from . import models


class Artist(IndexedRedisModel):
    """An artist or band."""

    FIELDS = [IRField('id', valueType=int), IRField('name')]
    INDEXED_FIELDS = ['id', 'name']
    KEY_NAME = 'DjangoArtist'


class Genre(IndexedRedisModel):
    """A kind of music."""

    FIELDS = [IRField('id', valueType=int), IRField('name')]
    INDEXED_FIELDS = ['id', 'name']
    KEY_NAME = 'DjangoGenre'


class Track(IndexedRedisModel):
    """A track. It has the fields that the shop shows; the purchase price stays in SQL."""

    FIELDS = [
        IRField('id', valueType=int),
        IRField('name'),
        IRForeignLinkField('artist', Artist),
        IRForeignMultiLinkField('genres', Genre),
        IRField('price', valueType=Decimal, decimalPlaces=2),
        IRDatetimeField('released', aware=True, microseconds=True),
    ]
    INDEXED_FIELDS = ['id', 'artist']
    SORTED_FIELDS = ['name', 'price']
    KEY_NAME = 'DjangoTrack'


mirror = Mirror.of({Artist: models.Artist, Genre: models.Genre, Track: models.Track})
