"""The page, written for each subject as one would write it there: id of an artist in, lines out.

The rule: only what a subject itself needs is imported, since one of them is IndexedRedis 6.0.3.
Each page reads the same five things of every track and makes the same text of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

__all__ = ('of_models', 'of_models_in_tasks', 'of_sql')

Page = Callable[[int], list[str]]


def line(name: str, album: str, artist: str, milliseconds: int, price: float) -> str:
    """One line of the page."""
    minutes, seconds = divmod(milliseconds // 1000, 60)
    return f'{name} | {album} | {artist} | {minutes}:{seconds:02} | ${price:.2f}'


def of_models(models: Any) -> dict[str, Page]:
    """The pages from Redis: of the model filled by a join, and of models with links.

    :param models: the module ``models.py``
    """

    def joined_of(track: Any) -> Page:
        def joined(artist: int) -> list[str]:
            tracks = track.objects.filter(artist_id=artist).allByAge()
            return [line(t.name, t.album, t.artist, t.milliseconds, t.unit_price) for t in tracks]

        return joined

    def linked(artist: int) -> list[str]:
        tracks = models.LinkedTrack.objects.filter(artist_id=artist).allByAge(cascadeFetch=True)
        return [
            line(t.name, t.album.title, t.artist.name, t.milliseconds, t.unit_price) for t in tracks
        ]

    return {
        'joined': joined_of(models.Track),
        'remembered': joined_of(models.RememberedTrack),
        'linked': linked,
    }


def of_models_in_tasks(models: Any) -> dict[str, Callable[[int], Awaitable[list[str]]]]:
    """The first two of them again, on asyncio; 6.0.3 has nothing like it."""

    def joined_of(track: Any) -> Callable[[int], Awaitable[list[str]]]:
        async def joined(artist: int) -> list[str]:
            tracks = await track.objects.filter(artist_id=artist).aallByAge()
            return [line(t.name, t.album, t.artist, t.milliseconds, t.unit_price) for t in tracks]

        return joined

    return {'joined': joined_of(models.Track), 'remembered': joined_of(models.RememberedTrack)}


def of_sql(engine: Any) -> dict[str, Page]:
    """The pages from SQL: of mapped objects in two ways, and of plain rows.

    :param engine: an ``Engine`` on the database
    """
    from sqlalchemy import select
    from sqlalchemy.orm import Session, contains_eager, selectinload

    from benchmarks.headline.catalogue import Album, Artist, Track

    def joins(artist: int) -> list[str]:
        with Session(engine) as session:
            tracks = session.scalars(
                select(Track)
                .join(Track.album)
                .join(Album.artist)
                .options(contains_eager(Track.album).contains_eager(Album.artist))
                .where(Artist.id == artist)
                .order_by(Track.id)
            )
            return [
                line(t.name, t.album.title, t.album.artist.name, t.milliseconds, t.unit_price)
                for t in tracks
            ]

    def collections(artist: int) -> list[str]:
        with Session(engine) as session:
            found = session.get_one(
                Artist, artist, options=[selectinload(Artist.albums).selectinload(Album.tracks)]
            )
            tracks = [(t, album.title) for album in found.albums for t in album.tracks]
            return [
                line(t.name, title, found.name, t.milliseconds, t.unit_price)
                for t, title in sorted(tracks, key=lambda each: each[0].id)
            ]

    columns = (Track.name, Album.title, Artist.name, Track.milliseconds, Track.unit_price)

    def rows(artist: int) -> list[str]:
        with engine.connect() as connection:
            found = connection.execute(
                select(*columns)
                .join_from(Track, Album)
                .join(Artist)
                .where(Artist.id == artist)
                .order_by(Track.id)
            )
            return [line(*row) for row in found]

    return {'joins': joins, 'collections': collections, 'rows': rows}
