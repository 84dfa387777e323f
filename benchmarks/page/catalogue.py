"""Store the Chinook catalogue, as the demo maps it for SQLAlchemy's ORM, and mirror it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import Engine, Select, insert, select

from IndexedRedis.demo.data import Album, Artist, Base, Genre, Track, read_csv, table_of
from IndexedRedis.mirror import Mirror

from . import models

STEP = 10_000  # between the ids of two copies


def fill(engine: Engine, copies: int) -> Counter[int]:
    """Make the tables and store the catalogue so many times, with artists and ids of its own.

    :returns: how many tracks each artist has, by id
    """
    Base.metadata.create_all(engine)
    artists: Counter[int] = Counter()
    with engine.begin() as connection:
        connection.execute(insert(table_of(Genre)), list(read_csv(table_of(Genre))))
        for copy in range(copies):
            names, albums, tracks = _rows(copy * STEP, f' ({copy + 1})' if copy else '')
            for table, rows in ((Artist, names), (Album, albums), (Track, tracks)):
                connection.execute(insert(table_of(table)), rows)
            owners = {row['id']: row['artist'] for row in albums}
            artists.update(owners[row['album']] for row in tracks)
    return artists


def _rows(shift: int, suffix: str) -> tuple[list[dict[str, Any]], ...]:
    """Return the rows of artists, of albums and of tracks of one copy."""
    artists, albums, tracks = (read_csv(table_of(each)) for each in (Artist, Album, Track))
    return (
        [row | {'id': row['id'] + shift, 'name': row['name'] + suffix} for row in artists],
        [row | {'id': row['id'] + shift, 'artist': row['artist'] + shift} for row in albums],
        [row | {'id': row['id'] + shift, 'album': row['album'] + shift} for row in tracks],
    )


def mirror(engine: Engine) -> None:
    """Put the catalogue into the models, in the order of the ids."""
    names = (Artist.name.label('artist'), Album.title.label('album'))
    keys = (Track.album_id.label('album'), Album.artist_id.label('artist'))
    selects = {
        models.Track: _tracks(*names).join(Album.artist),
        models.LinkedTrack: _tracks(*keys),
        models.LinkedAlbum: select(Album.id, Album.artist_id.label('artist'), Album.title),
        models.LinkedArtist: select(Artist.id, Artist.name),
    }
    Mirror(engine, selects, keys={models.LinkedAlbum: 'id', models.LinkedArtist: 'id'}).run()


def _tracks(*more: Any) -> Select[Any]:
    columns = (Track.id, Track.name, Track.milliseconds, Track.unit_price)
    artist = Album.artist_id.label('artist_id')
    return select(*columns, artist, *more).join_from(Track, Album).order_by(Track.id)
