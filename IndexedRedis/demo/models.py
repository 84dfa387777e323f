"""The models that the shop's pages query, and their mirror: names in place of keys.

The rule: a user would write the same models and the same mirror.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import Engine

from .. import IndexedRedisModel, IRField
from ..mirror import Mirror
from . import data


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
    ]
    INDEXED_FIELDS = ['artist', 'album', 'genre', 'composer']
    SORTED_FIELDS = ['milliseconds']
    KEY_NAME = 'ChinookTrack'


class Sale(IndexedRedisModel):
    """A track that a customer ordered."""

    FIELDS = [
        IRField('sale_id', valueType=int),
        IRField('customer', valueType=int),
        IRField('day', valueType=date),
        IRField('state'),
        IRField('track'),
        IRField('artist'),
        IRField('price', valueType=float),
    ]
    INDEXED_FIELDS = ['customer']
    SORTED_FIELDS = ['sale_id']
    KEY_NAME = 'ChinookSale'


def mirror_of(engine: Engine) -> Mirror:
    """Return the mirror of the shop: both models are replaced in one swap."""
    return Mirror(engine, {Track: data.TRACKS, Sale: data.ORDERS})
