"""Models with partitions that the commands are called with, on servers and on clusters."""

from __future__ import annotations

from IndexedRedis import IndexedRedisModel, IRField
from IndexedRedis.fields import IRForeignLinkField


class Band(IndexedRedisModel):
    """The target of links."""

    FIELDS = [IRField('name')]
    INDEXED_FIELDS = ['name']
    KEY_NAME = '{parted}Band'
    PARTITIONS = 3


class Track(IndexedRedisModel):
    """Links to bands in other partitions."""

    FIELDS = [
        IRField('title'),
        IRField('year', valueType=int),
        IRForeignLinkField('band', Band),
    ]
    INDEXED_FIELDS = ['year', 'band']
    SORTED_FIELDS = ['year']
    KEY_NAME = '{parted}Track:7'
    PARTITIONS = 8


class Item(IndexedRedisModel):
    """Its partitions follow a field."""

    FIELDS = [IRField('shop', hashIndex=True), IRField('number', valueType=int)]
    INDEXED_FIELDS = ['shop']
    UNIQUE_FIELDS = [('shop', 'number')]
    KEY_NAME = '{parted}Item'
    PARTITIONS = 5
    PARTITION_BY = 'shop'
