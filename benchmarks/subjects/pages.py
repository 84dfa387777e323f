"""Write the page for each subject: the id of an artist in, lines of text out.

Each page reads the same five values of every track and makes the same text of them. The catalogue
is mirrored in two ways. ``Track`` is filled by a select with joins: it has all that a page shows.
``LinkedTrack`` has the tables as they are. This file runs under IndexedRedis 6.0.3 too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import IndexedRedis
from IndexedRedis import IndexedRedisModel, IRField
from IndexedRedis.fields import IRForeignLinkField

Page = Callable[[int], Any]


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


def of_models() -> dict[str, Page]:
    """Return the pages from Redis: of the model filled by a join, and of models with links.

    Their names are the ends of the names of subjects. IndexedRedis 6.0.3 has two of the pages.
    """

    def by_age(model: Any) -> Page:
        return lambda artist: _lines(model.objects.filter(artist_id=artist).allByAge())

    def on_asyncio(model: Any) -> Page:
        async def page(artist: int) -> list[str]:
            return _lines(await model.objects.filter(artist_id=artist).aallByAge())

        return page

    def linked(artist: int) -> list[str]:
        tracks = LinkedTrack.objects.filter(artist_id=artist).allByAge(cascadeFetch=True)
        return [_line(each, each.album.title, each.artist.name) for each in tracks]

    pages = {
        '': by_age(Track),
        ', cached': by_age(CachedTrack),
        ', asyncio': on_asyncio(Track),
        ', cached, asyncio': on_asyncio(CachedTrack),
        ', links': linked,
    }
    old = IndexedRedis.__version__ == '6.0.3'
    return {name: pages[name] for name in ('', ', links')} if old else pages


def of_sql(engine: Any) -> dict[str, Page]:
    """Return the pages from SQL: of mapped objects in two ways, and of plain rows.

    :param engine: an ``Engine`` on the database
    """
    from sqlalchemy import select
    from sqlalchemy.orm import Session, contains_eager, load_only, selectinload

    from IndexedRedis.demo.data import Album, Artist, Track

    # The pages show neither genre nor composer, and the models have neither.
    shown = load_only(Track.album_id, Track.name, Track.milliseconds, Track.unit_price)

    def joins(artist: int) -> list[str]:
        loaded = contains_eager(Track.album).contains_eager(Album.artist)
        statement = select(Track).join(Track.album).join(Album.artist).options(loaded, shown)
        with Session(engine) as session:
            tracks = session.scalars(statement.where(Artist.id == artist).order_by(Track.id))
            return [_line(each, each.album.title, each.album.artist.name) for each in tracks]

    def collections(artist: int) -> list[str]:
        loaded = selectinload(Artist.albums).selectinload(Album.tracks).options(shown)
        with Session(engine) as session:
            owner = session.get_one(Artist, artist, options=[loaded])
            tracks = [(each, album.title) for album in owner.albums for each in album.tracks]
            tracks.sort(key=lambda each: each[0].id)
            return [_line(each, title, owner.name) for each, title in tracks]

    names = (Album.title.label('album'), Artist.name.label('artist'))
    columns = (Track.name, Track.milliseconds, Track.unit_price, *names)

    def rows(artist: int) -> list[str]:
        statement = select(*columns).join_from(Track, Album).join(Artist)
        with engine.connect() as connection:
            return _lines(
                connection.execute(statement.where(Artist.id == artist).order_by(Track.id))
            )

    return {', ORM, joins': joins, ', ORM, selectinload': collections, ', plain rows': rows}


def _lines(tracks: Any) -> list[str]:
    """Return the page of tracks that have all it shows."""
    return [_line(each, each.album, each.artist) for each in tracks]


def _line(track: Any, album: str, artist: str) -> str:
    """Return one line of a page."""
    minutes, seconds = divmod(track.milliseconds // 1000, 60)
    return f'{track.name} | {album} | {artist} | {minutes}:{seconds:02} | ${track.unit_price:.2f}'
