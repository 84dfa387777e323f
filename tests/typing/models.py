"""Models for the other files of this folder, in the class form."""

from __future__ import annotations

import enum
from datetime import datetime
from decimal import Decimal

from IndexedRedis import IndexedRedisModel, IRField, NotNull
from IndexedRedis.fields import (
    IRBytesField,
    IRDatetimeField,
    IRDecimalField,
    IREnumField,
    IRFieldChain,
    IRForeignLinkField,
    IRForeignMultiLinkField,
    IRUnicodeField,
)
from IndexedRedis.fields.compressed import IRCompressedField


class Color(enum.Enum):
    RED = 'red'
    BLUE = 'blue'


class Grade(str):
    """A type of the user's own."""


class GradeField(IRField[Grade]):
    """A field type of the user's own."""

    def _fromInput(self, value: object) -> Grade:
        return Grade(value)


class Stamped(IndexedRedisModel):
    """No model of its own: its fields are fields of each model that derives from it."""

    created: IRField[datetime] = IRField(valueType=datetime, sorted=True)


class Artist(IndexedRedisModel):
    KEY_NAME = 'Artists'

    name: IRField[str] = IRField(indexed=True)


class Track(IndexedRedisModel):
    KEY_NAME = 'Tracks'

    name: IRField[str] = IRField()
    seconds: IRField[int] = IRField(valueType=int)
    price: NotNull[Decimal] = IRDecimalField(decimalPlaces=2, nullable=False)
    artist: IRForeignLinkField[Artist] = IRForeignLinkField(Artist, indexed=True)
    similar: IRForeignMultiLinkField[Track] = IRForeignMultiLinkField(foreignModel='Track')
    released: IRDatetimeField = IRDatetimeField(aware=True)
    title: NotNull[str] = IRUnicodeField(encoding='utf-16', nullable=False)
    cover: IRBytesField = IRBytesField()
    lyrics: IRFieldChain[str] = IRFieldChain(chainedFields=[IRUnicodeField, IRCompressedField])
    color: IREnumField[Color] = IREnumField(enumClass=Color)
    grade: GradeField = GradeField()

    INDEXED_FIELDS = [name, seconds]
    UNIQUE_FIELDS = [(name, artist)]


class Live(Stamped, Track):
    KEY_NAME = 'LiveTracks'

    venue: IRField[str] = IRField(defaultValue='unknown')


class Song(IndexedRedisModel, init=False):
    """The list form: annotations say what its attributes are."""

    title: str
    year: int

    FIELDS = [IRField('title'), IRField('year', valueType=int)]
    KEY_NAME = 'Songs'
