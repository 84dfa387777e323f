"""Write the page for each subject: the id of an artist in, lines of text out.

Each page reads the same five values of every track and makes the same text of them. The catalogue
is mirrored in two ways. ``Track`` is filled by a select with joins: it has all that a page shows.
``LinkedTrack`` has the tables as they are. This file runs under IndexedRedis 6.0.3 too.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import IndexedRedis

from .library import model_of

Page = Callable[[int], Any]

SHOWN = {'id': 'int', 'artist_id': 'int', 'milliseconds': 'int', 'name': 'str'}
SHOWN |= {'unit_price': 'float'}
JOINED = {**SHOWN, 'artist': 'str', 'album': 'str'}
ARTIST, ALBUM = {'id': 'int', 'name': 'str'}, {'id': 'int', 'title': 'str'}

Track = model_of({}, JOINED, ['artist_id'], KEY_NAME='HeadlineTrack')
LinkedArtist = model_of({}, ARTIST, [], KEY_NAME='HeadlineLinkedArtist')
OF_ALBUMS = {'artist': LinkedArtist}
LinkedAlbum = model_of({}, ALBUM, [], OF_ALBUMS, KEY_NAME='HeadlineLinkedAlbum')
OF_TRACKS = {'artist': LinkedArtist, 'album': LinkedAlbum}
LinkedTrack = model_of({}, SHOWN, ['artist_id'], OF_TRACKS, KEY_NAME='HeadlineLinkedTrack')


class CachedTrack(Track):
    """The same tracks with a client-side cache, which 6.0.3 lacks."""

    CLIENT_SIDE_CACHE = 1000


ALL = (Track, CachedTrack, LinkedArtist, LinkedAlbum, LinkedTrack)


def of_models() -> dict[str, Page]:
    """Return the pages from Redis: of the model filled by a join, and of models with links.

    Their names are the ends of the names of subjects. IndexedRedis 6.0.3 has two of the pages.
    """

    def page(artist: int, model: Any = Track) -> list[str]:
        return _lines(model.objects.filter(artist_id=artist).allByAge())

    async def on_asyncio(artist: int, model: Any = Track) -> list[str]:
        return _lines(await model.objects.filter(artist_id=artist).aallByAge())

    def linked(artist: int) -> list[str]:
        tracks = LinkedTrack.objects.filter(artist_id=artist).allByAge(cascadeFetch=True)
        return [_line(each, each.album.title, each.artist.name) for each in tracks]

    pages = {
        '': page,
        ', cached': partial(page, model=CachedTrack),
        ', asyncio': on_asyncio,
        ', cached, asyncio': partial(on_asyncio, model=CachedTrack),
        ', links': linked,
    }
    old = IndexedRedis.__version__ == '6.0.3'
    return {name: pages[name] for name in ('', ', links')} if old else pages


def of_sql(engine: Any) -> dict[str, Page]:
    """Return the pages from SQL: of mapped objects in two ways, and of plain rows."""
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
