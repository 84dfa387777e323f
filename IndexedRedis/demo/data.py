"""The shop's database: the Chinook catalogue in SQLite, through SQLAlchemy.

The rule: this file contains SQL only. The models mirror its selects.
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
LONGEST_SOLD = 10 * 60 * 1000  # milliseconds: the second edition lacks longer tracks

metadata = MetaData()


def _table(name: str, *columns: Column[Any]) -> Table:
    return Table(name, metadata, Column('id', Integer, primary_key=True), *columns)


artist = _table('artist', Column('name', Text, nullable=False, index=True))
album = _table(
    'album',
    Column('artist', ForeignKey('artist.id'), nullable=False, index=True),
    Column('title', Text, nullable=False, index=True),
)
genre = _table('genre', Column('name', Text, nullable=False, index=True))
track = _table(
    'track',
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
    """Make the database file, with an index on each column that the questions filter by.

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
    """Yield the rows of a table from the CSV file of the package; an empty cell is NULL."""
    source = files('IndexedRedis.demo') / 'chinook' / f'{table.name}.csv'
    convert = {column.name: column.type.python_type for column in table.columns}
    lines = StringIO(source.read_text(encoding='utf-8'), newline='')
    for row in csv.DictReader(lines):
        yield {name: kind(row[name]) if row[name] else None for name, kind in convert.items()}


def new_edition(connection: Connection) -> None:
    """Raise every price, and delete the longest tracks, as a shop does over night."""
    connection.execute(update(track).values(unit_price=track.c.unit_price + PRICE_RISE))
    connection.execute(delete(track).where(track.c.milliseconds > LONGEST_SOLD))
