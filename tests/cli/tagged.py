"""Models whose keys are in one slot each, for clusters; and one whose keys are in many."""

from __future__ import annotations

from IndexedRedis import IndexedRedisModel, IRField
from IndexedRedis.fields import IRForeignLinkField


class Artist(IndexedRedisModel):
    """The target of links."""

    FIELDS = [IRField('name')]
    INDEXED_FIELDS = ['name']
    KEY_NAME = '{tagged}Artist'


class Song(IndexedRedisModel):
    """In one slot with its artists."""

    FIELDS = [IRField('title'), IRField('group', valueType=int), IRForeignLinkField('by', Artist)]
    INDEXED_FIELDS = ['group', 'by']
    KEY_NAME = '{tagged}Song'


class CachedSong(Song):
    """The same songs."""

    CLIENT_SIDE_CACHE = 100


class Short(IndexedRedisModel):
    """In another slot, and on another node of three."""

    FIELDS = [IRField('name')]
    INDEXED_FIELDS = ['name']
    KEY_NAME = '{Short}'


class Untagged(IndexedRedisModel):
    """Its keys are in many slots."""

    FIELDS = [IRField('name')]
    INDEXED_FIELDS = ['name']
    KEY_NAME = 'Untagged'
