"""What type checkers know of models, managers and results."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, assert_type

from models import Artist, Color, Grade, Live, Song, Track

from IndexedRedis import (
    IndexedRedisDelete,
    IndexedRedisQuery,
    IndexedRedisSave,
    IRField,
    IRNullType,
    IRQueryableList,
    irNull,
)


def reads(track: Track, live: Live, song: Song) -> None:
    assert_type(track.name, str | IRNullType)
    assert_type(track.seconds, int | IRNullType)
    assert_type(track.price, Decimal)
    assert_type(track.title, str)
    assert_type(track.artist, Artist | IRNullType | None)
    assert_type(track.similar, list[Track | None] | IRNullType)
    assert_type(track.released, datetime | IRNullType)
    assert_type(track.cover, bytes | IRNullType)
    assert_type(track.lyrics, str | IRNullType)
    assert_type(track.color, Color | IRNullType)
    assert_type(track.grade, Grade | IRNullType)
    assert_type(live.venue, str | IRNullType)
    assert_type(live.price, Decimal)
    assert_type(live.created, datetime | IRNullType)
    assert_type(song.year, int)
    if track.artist:
        assert_type(track.artist, Artist)
        assert_type(track.artist.name, str | IRNullType)


def fields() -> None:
    assert_type(Track.seconds, IRField[int])
    assert_type(Track.seconds.valueType, Any)
    Track.objects.orderBy(Track.seconds).values(Track.name)


def writes(track: Track, artist: Artist) -> None:
    track.seconds = 3
    track.seconds = None
    track.seconds = irNull
    track.artist = artist
    track.artist = 7
    track.similar = [track, 8]
    track.color = Color.RED


def constructors(artist: Artist, moment: datetime) -> None:
    Track()
    Track(name='Hells Bells', seconds=312, price=Decimal('0.99'), artist=artist, _id=1)
    Track(artist=1, similar=[1, 2], released=moment, color=None)
    Live(venue='Wembley', name='Thunderstruck', created=moment)
    Song(title='any name is taken', yaer=1980)


def managers(track: Track) -> None:
    assert_type(Track.objects, IndexedRedisQuery[Track])
    assert_type(track.objects, IndexedRedisQuery[Track])
    assert_type(Live.objects, IndexedRedisQuery[Live])
    assert_type(Track.saver, IndexedRedisSave[Track])
    assert_type(Track.deleter, IndexedRedisDelete[Track])
    assert_type(Track.copyModel(), type[Track])
    assert_type(Track.connectAlt({'db': 1}), type[Track])
    assert_type(track.copy(), Track)
    assert_type(track.save(), list[int])


def queries() -> None:
    query = Track.objects.filter(name='x', seconds__gt=3).exclude(artist=1).orderBy('-seconds')
    assert_type(query, IndexedRedisQuery[Track])
    assert_type(query | query, IndexedRedisQuery[Track])
    assert_type(query.all(), IRQueryableList[Track])
    assert_type(query.all()[0], Track)
    assert_type(query.all()[1:], IRQueryableList[Track])
    assert_type(query.all().filter(name='x').sort_by('name'), IRQueryableList[Track])
    assert_type(query.first(), Track | None)
    assert_type(query.get(1), Track | None)
    assert_type(query.get(name='x'), Track | None)
    assert_type(query.getMultiple([1, 2]), IRQueryableList[Track | None])
    assert_type(query.inBulk([1]), dict[int, Track])
    assert_type(query[20:40], IndexedRedisQuery[Track])
    assert_type(query[5], Track)
    assert_type(query.page(3, size=20).objects, IRQueryableList[Track])
    assert_type(query.page().total, int | None)
    assert_type(query.values('name'), list[dict[str, Any]])
    assert_type(query.count(), int)
    assert_type(query.create(name='x'), Track)
    assert_type(query.getOrCreate(name='x'), tuple[Track, bool])
    for each in query:
        assert_type(each, Track)
    for each in query.iterator():
        assert_type(each, Track)
    for each in query.page():
        assert_type(each, Track)


def saver(tracks: list[Track]) -> None:
    Track.saver.save(tracks[0])
    Track.saver.save(tracks)
    Track.reset(track for track in tracks)
    Track.objects.reset(tracks)
    Track.deleter.deleteMultiple(tracks)


async def twins(track: Track) -> None:
    query = Track.objects.filter(name='x')
    assert_type(await query.aall(), IRQueryableList[Track])
    assert_type(await query.afirst(), Track | None)
    assert_type(await query.aget(1), Track | None)
    assert_type((await query.apage()).objects, IRQueryableList[Track])
    assert_type(await query.agetOrCreate(name='x'), tuple[Track, bool])
    assert_type(await track.asave(), list[int])
    await Track.areset([track])
    async for each in query:
        assert_type(each, Track)
    async for each in query.aiterator():
        assert_type(each, Track)
