"""Map the Chinook catalogue for SQLAlchemy's ORM, store it, and mirror it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Double, Engine, ForeignKey, Select, String, insert, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from IndexedRedis.demo import data
from IndexedRedis.mirror import Mirror

from . import models

STEP = 10_000  # between the ids of two copies


class Base(DeclarativeBase):
    """The tables, with an index on each foreign key."""


class Artist(Base):
    """An artist or band."""

    __tablename__ = 'artist'
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(200))
    albums: Mapped[list[Album]] = relationship(back_populates='artist')


class Album(Base):
    """An album."""

    __tablename__ = 'album'
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    artist_id: Mapped[int] = mapped_column(ForeignKey('artist.id'), index=True)
    title: Mapped[str] = mapped_column(String(200))
    artist: Mapped[Artist] = relationship(back_populates='albums')
    tracks: Mapped[list[Track]] = relationship(back_populates='album')


class Track(Base):
    """A track."""

    __tablename__ = 'track'
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    album_id: Mapped[int] = mapped_column(ForeignKey('album.id'), index=True)
    name: Mapped[str] = mapped_column(String(200))
    milliseconds: Mapped[int]
    unit_price: Mapped[float] = mapped_column(Double)
    album: Mapped[Album] = relationship(back_populates='tracks')


def fill(engine: Engine, copies: int) -> list[int]:
    """Make the tables and store the catalogue so many times, with artists and ids of its own.

    :returns: the ids of all artists who have tracks
    """
    Base.metadata.create_all(engine)
    artists: set[int] = set()
    with engine.begin() as connection:
        for copy in range(copies):
            names, albums, tracks = _rows(copy * STEP, f' ({copy + 1})' if copy else '')
            for table, rows in ((Artist, names), (Album, albums), (Track, tracks)):
                connection.execute(insert(table), rows)
            artists.update(row['artist_id'] for row in albums)  # each album has tracks
    return sorted(artists)


def _rows(shift: int, suffix: str) -> tuple[list[dict[str, Any]], ...]:
    """Return the rows of artists, of albums and of tracks of one copy."""
    artists, albums, tracks = map(data.read_csv, (data.artist, data.album, data.track))
    return (
        [{'id': row['id'] + shift, 'name': row['name'] + suffix} for row in artists],
        [
            {'id': row['id'] + shift, 'artist_id': row['artist'] + shift, 'title': row['title']}
            for row in albums
        ],
        [
            {'id': row['id'] + shift, 'album_id': row['album'] + shift, 'name': row['name'],
             'milliseconds': row['milliseconds'], 'unit_price': row['unit_price']}
            for row in tracks
        ],
    )  # fmt: skip


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
    columns = (Track.id, Track.name, Track.milliseconds, Track.unit_price, Album.artist_id)
    return select(*columns, *more).join_from(Track, Album).order_by(Track.id)
