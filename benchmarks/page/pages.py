"""Write the page for each subject: the id of an artist in, lines of text out.

A process of each subject serves this file, so it imports only what the subject needs. Each page
reads the same five values of every track and makes the same text of them.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

CONNECTIONS = 16
Page = Callable[[int], Any]


def serve(kind: str, where: Any) -> SimpleNamespace:
    """Return what the process of a subject serves.

    :param kind: ``models``, ``asyncio`` or ``sql``
    :param where: connection parameters, or the URL of the SQL database
    """
    if kind == 'sql':
        from sqlalchemy import create_engine

        return SimpleNamespace(questions=of_sql(create_engine(where, pool_size=CONNECTIONS)))
    from IndexedRedis import setDefaultRedisConnectionParams

    setDefaultRedisConnectionParams(where)
    return SimpleNamespace(questions=of_models() if kind == 'models' else of_models_on_asyncio())


def of_models() -> dict[str, Page]:
    """Return the pages from Redis: of the model filled by a join, and of models with links."""
    from . import models

    def linked(artist: int) -> list[str]:
        tracks = models.LinkedTrack.objects.filter(artist_id=artist).allByAge(cascadeFetch=True)
        return [
            line(t.name, t.album.title, t.artist.name, t.milliseconds, t.unit_price) for t in tracks
        ]

    def joined_of(model: Any) -> Page:
        return lambda artist: lines(model.objects.filter(artist_id=artist).allByAge())

    return {
        'joined': joined_of(models.Track),
        'cached': joined_of(models.CachedTrack),
        'linked': linked,
    }


def of_models_on_asyncio() -> dict[str, Page]:
    """Return the first two on asyncio."""
    from . import models

    def joined_of(model: Any) -> Page:
        async def joined(artist: int) -> list[str]:
            return lines(await model.objects.filter(artist_id=artist).aallByAge())

        return joined

    return {'joined': joined_of(models.Track), 'cached': joined_of(models.CachedTrack)}


def of_sql(engine: Any) -> dict[str, Page]:
    """Return the pages from SQL: of mapped objects in two ways, and of plain rows.

    :param engine: an ``Engine`` on the database
    """
    from sqlalchemy import select
    from sqlalchemy.orm import Session, contains_eager, selectinload

    from .catalogue import Album, Artist, Track

    def joins(artist: int) -> list[str]:
        loaded = contains_eager(Track.album).contains_eager(Album.artist)
        statement = select(Track).join(Track.album).join(Album.artist).options(loaded)
        with Session(engine) as session:
            tracks = session.scalars(statement.where(Artist.id == artist).order_by(Track.id))
            return [
                line(t.name, t.album.title, t.album.artist.name, t.milliseconds, t.unit_price)
                for t in tracks
            ]

    def collections(artist: int) -> list[str]:
        loaded = selectinload(Artist.albums).selectinload(Album.tracks)
        with Session(engine) as session:
            owner = session.get_one(Artist, artist, options=[loaded])
            tracks = [(t, album.title) for album in owner.albums for t in album.tracks]
            return [
                line(t.name, title, owner.name, t.milliseconds, t.unit_price)
                for t, title in sorted(tracks, key=lambda each: each[0].id)
            ]

    columns = (Track.name, Album.title, Artist.name, Track.milliseconds, Track.unit_price)

    def rows(artist: int) -> list[str]:
        statement = select(*columns).join_from(Track, Album).join(Artist)
        with engine.connect() as connection:
            found = connection.execute(statement.where(Artist.id == artist).order_by(Track.id))
            return [line(*row) for row in found]

    return {'joins': joins, 'collections': collections, 'rows': rows}


def lines(tracks: Any) -> list[str]:
    """Return the page of tracks that have all it shows."""
    return [line(t.name, t.album, t.artist, t.milliseconds, t.unit_price) for t in tracks]


def line(name: str, album: str, artist: str, milliseconds: int, price: float) -> str:
    """Return one line of a page."""
    minutes, seconds = divmod(milliseconds // 1000, 60)
    return f'{name} | {album} | {artist} | {minutes}:{seconds:02} | ${price:.2f}'
