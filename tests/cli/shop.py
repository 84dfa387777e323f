"""Models that the commands are called with: what a user's module looks like."""

from __future__ import annotations

from IndexedRedis import IndexedRedisModel, IRField, IRRawField
from IndexedRedis.fields import IRForeignLinkField, IRForeignMultiLinkField, IRPickleField


class Artist(IndexedRedisModel):
    """The target of links."""

    FIELDS = [IRField('name')]
    INDEXED_FIELDS = ['name']
    KEY_NAME = 'Artist'


class Song(IndexedRedisModel):
    """A field of each temper."""

    FIELDS = [
        IRField('title'),
        IRField('year', valueType=int),
        IRField('lyrics', hashIndex=True),
        IRRawField('raw'),
        IRPickleField('anything'),
        IRForeignLinkField('artist', Artist),
        IRForeignMultiLinkField('covers', 'Song'),
    ]
    INDEXED_FIELDS = ['title', 'year', 'lyrics', 'artist', 'covers']
    KEY_NAME = 'Song'


class OldSong(Song):
    """The same with fewer indexes, as in the last version of the program."""

    INDEXED_FIELDS = ['title']


class Short(IndexedRedisModel):
    """Small objects, for great numbers."""

    FIELDS = [IRField('name'), IRField('group', valueType=int)]
    INDEXED_FIELDS = ['group']
    KEY_NAME = 'Short'


class Address(IndexedRedisModel):
    """Twenty fields with long names, as the tables of large programs have."""

    INDEXED_FIELDS = [f'shipping_address_of_the_customer_{n}' for n in range(8)]
    FIELDS = [IRField(f'shipping_address_of_the_customer_{n}') for n in range(20)]
    KEY_NAME = 'webshop:production:customers:CustomerShippingAddress'


class Elsewhere(Short):
    """Names a server of its own, where nobody listens."""

    REDIS_CONNECTION_PARAMS = {'host': '127.0.0.1', 'port': 1}


class Wrong(IndexedRedisModel):
    """Its definition is wrong."""

    FIELDS = [IRField('name')]
    INDEXED_FIELDS = ['nme']
    KEY_NAME = 'Wrong'


def function() -> None:
    """Is no model."""
