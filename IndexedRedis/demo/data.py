"""The shop's own database: the Chinook catalogue in SQLite, asked through SQLAlchemy.

The rule: this file speaks SQL and knows nothing of Redis. Its selects are what the models mirror.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from importlib.resources import files
from io import StringIO
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    Text,
    create_engine,
    delete,
    insert,
    select,
    update,
)

PRICE_RISE = 0.10
LONGEST_SOLD = 10 * 60 * 1000  # milliseconds: what is longer goes out of the second edition

metadata = MetaData()
artist = Table(
    'artist',
    metadata,
    Column('id', Integer, primary_key=True),
    Column('name', Text, nullable=False, index=True),
)
album = Table(
    'album',
    metadata,
    Column('id', Integer, primary_key=True),
    Column('artist', ForeignKey('artist.id'), nullable=False, index=True),
    Column('title', Text, nullable=False, index=True),
)
genre = Table(
    'genre',
    metadata,
    Column('id', Integer, primary_key=True),
    Column('name', Text, nullable=False, index=True),
)
track = Table(
    'track',
    metadata,
    Column('id', Integer, primary_key=True),
    Column('album', ForeignKey('album.id'), nullable=False, index=True),
    Column('name', Text, nullable=False),
    Column('genre', ForeignKey('genre.id'), nullable=False, index=True),
    Column('composer', Text, index=True),
    Column('milliseconds', Integer, nullable=False),
    Column('unit_price', Float, nullable=False),
)

ARTISTS = select(artist.c.id.label('artist_id'), artist.c.name).order_by(artist.c.id)
GENRES = select(genre.c.id.label('genre_id'), genre.c.name).order_by(genre.c.id)
ALBUMS = (
    select(album.c.id.label('album_id'), album.c.title, artist.c.name.label('artist'))
    .join_from(album, artist)
    .order_by(album.c.id)
)
TRACKS = (
    select(
        track.c.id.label('track_id'),
        track.c.name,
        artist.c.name.label('artist'),
        album.c.title.label('album'),
        genre.c.name.label('genre'),
        track.c.composer,
        track.c.milliseconds,
        track.c.unit_price,
    )
    .join_from(track, album)
    .join(artist)
    .join(genre, track.c.genre == genre.c.id)
    .order_by(track.c.id)
)


def build(path: Path) -> Engine:
    """Make the database file, with an index on all that the questions ask for.

    :param path: the SQLite file to make
    :returns: an engine on it; the caller disposes of it
    """
    engine = create_engine(f'sqlite:///{path}')
    with engine.begin() as connection:
        metadata.create_all(connection)
        for table in metadata.sorted_tables:
            connection.execute(insert(table), list(read_csv(table)))
    return engine


def read_csv(table: Table) -> Iterator[dict[str, Any]]:
    """The rows of a table as they come with the package; an empty cell is NULL."""
    source = files('IndexedRedis.demo') / 'chinook' / f'{table.name}.csv'
    convert = {column.name: column.type.python_type for column in table.columns}
    lines = StringIO(source.read_text(encoding='utf-8'), newline='')
    for row in csv.DictReader(lines):
        yield {name: kind(row[name]) if row[name] else None for name, kind in convert.items()}


def new_edition(connection: Connection) -> None:
    """What a shop does over night: every price goes up, and the overlong tracks go out."""
    connection.execute(update(track).values(unit_price=track.c.unit_price + PRICE_RISE))
    connection.execute(delete(track).where(track.c.milliseconds > LONGEST_SOLD))
