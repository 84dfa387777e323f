"""The shop's database in SQL: the Chinook catalogue, as often as wanted, mapped for the ORM.

The rule: this is a schema as one would write it, with an index on each foreign key.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Double, Engine, ForeignKey, String, insert
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from IndexedRedis.demo import data

__all__ = ('Album', 'Artist', 'Base', 'Track', 'fill')

_STEP = 10_000  # how far the ids of the copies are apart


class Base(DeclarativeBase):
    """The tables."""


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
    """Make the tables and store the catalogue so many times.

    Each copy has artists, albums and tracks of its own.

    :returns: the ids of all artists who have tracks
    """
    Base.metadata.create_all(engine)
    artists: set[int] = set()
    with engine.begin() as connection:
        for copy in range(copies):
            for table, rows in _rows(copy):
                made = list(rows)
                connection.execute(insert(table), made)
                if table is Album:  # each of which has tracks
                    artists.update(row['artist_id'] for row in made)
    return sorted(artists)


def _rows(copy: int) -> Iterator[tuple[Any, Iterator[dict[str, Any]]]]:
    """The rows of one copy by table, in the order in which they can be stored."""
    shift = copy * _STEP
    suffix = f' ({copy + 1})' if copy else ''
    yield (
        Artist,
        (
            {'id': row['id'] + shift, 'name': row['name'] + suffix}
            for row in data.read_csv(data.artist)
        ),
    )
    yield (
        Album,
        (
            {'id': row['id'] + shift, 'artist_id': row['artist'] + shift, 'title': row['title']}
            for row in data.read_csv(data.album)
        ),
    )
    yield (
        Track,
        (
            {
                'id': row['id'] + shift,
                'album_id': row['album'] + shift,
                **{name: row[name] for name in ('name', 'milliseconds', 'unit_price')},
            }
            for row in data.read_csv(data.track)
        ),
    )
