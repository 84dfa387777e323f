"""Store the catalogue of the demo's shop several times over, and mirror it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import Engine, Select, func, insert, select

from IndexedRedis.demo import data
from IndexedRedis.demo.data import Album, Artist, Track, table_of
from IndexedRedis.mirror import Mirror

from . import pages as models

STEP = 10_000  # between the ids of two copies


def fill(engine: Engine, copies: int) -> Counter[int]:
    """Make the tables and store the catalogue so many times, with artists and ids of its own.

    :returns: how many tracks each artist has, by id
    """
    data.fill(engine, sales=0)
    artist, album, track = map(table_of, (Artist, Album, Track))
    with engine.begin() as connection:
        for copy in range(1, copies):
            shift = copy * STEP
            for table, changed in (
                (artist, {'name': artist.c.name + f' ({copy + 1})'}),
                (album, {'artist': album.c.artist + shift}),
                (track, {'album': track.c.album + shift}),
            ):
                columns = {**table.columns, 'id': table.c.id + shift, **changed}
                rows = select(*columns.values()).where(table.c.id < STEP)
                connection.execute(insert(table).from_select([*columns], rows))
        owner = Album.artist_id
        counts = select(owner, func.count()).join_from(Album, Track).group_by(owner)
        return Counter(dict(connection.execute(counts).all()))


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
