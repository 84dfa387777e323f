"""The shop's database: the Chinook catalogue and orders made up for it, mapped by SQLAlchemy's ORM.

The rule: this file contains SQL only. The models mirror its selects, and the same classes answer
the questions in SQL, with an index for each of them.
"""

from __future__ import annotations

import csv
import datetime
import random
from collections.abc import Iterator
from importlib.resources import files
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any, cast

from sqlalchemy import (
    URL,
    Connection,
    Date,
    Double,
    Engine,
    ForeignKey,
    Index,
    String,
    Table,
    create_engine,
    delete,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

PRICE_RISE = 0.10
LONGEST_SOLD = 10 * 60 * 1000  # milliseconds: the second edition lacks longer tracks
SALES, CUSTOMERS, DAYS, SEED = 20_000, 1_000, 365, 7
FIRST_DAY = datetime.date(2026, 1, 1)
STATES, WEIGHTS = ('sent', 'paid', 'returned'), (85, 10, 5)
BLOCK = 5_000  # rows of one INSERT

# By default MariaDB takes é for e, and a name with a space at its end for one without.
EXACT = {'mariadb_charset': 'utf8mb4', 'mariadb_collate': 'utf8mb4_nopad_bin'}


class Base(DeclarativeBase):
    """The tables."""

    __table_args__: Any = EXACT
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class Artist(Base):
    """An artist or band."""

    __tablename__ = 'artist'
    name: Mapped[str] = mapped_column(String(200), index=True)
    albums: Mapped[list[Album]] = relationship(back_populates='artist')


class Album(Base):
    """An album."""

    __tablename__ = 'album'
    artist_id: Mapped[int] = mapped_column('artist', ForeignKey('artist.id'), index=True)
    title: Mapped[str] = mapped_column(String(200), index=True)
    artist: Mapped[Artist] = relationship(back_populates='albums')
    tracks: Mapped[list[Track]] = relationship(back_populates='album')


class Genre(Base):
    """A genre, such as Rock."""

    __tablename__ = 'genre'
    name: Mapped[str] = mapped_column(String(200), index=True)


class Track(Base):
    """A track; some have no composer."""

    __tablename__ = 'track'
    __table_args__ = (Index('track_of_genre', 'genre', 'milliseconds', 'id'), EXACT)
    album_id: Mapped[int] = mapped_column('album', ForeignKey('album.id'), index=True)
    name: Mapped[str] = mapped_column(String(200))
    genre_id: Mapped[int] = mapped_column('genre', ForeignKey('genre.id'))
    composer: Mapped[str | None] = mapped_column(String(200), index=True)
    milliseconds: Mapped[int]
    unit_price: Mapped[float] = mapped_column(Double)
    album: Mapped[Album] = relationship(back_populates='tracks')
    genre: Mapped[Genre] = relationship()


class Sale(Base):
    """A track that a customer ordered."""

    __tablename__ = 'sale'
    __table_args__ = (Index('sale_of_customer', 'customer', 'id'), EXACT)
    customer: Mapped[int]
    day: Mapped[datetime.date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(20))
    track_id: Mapped[int] = mapped_column('track', ForeignKey('track.id'), index=True)
    track: Mapped[Track] = relationship()


def table_of(mapped: type[Base]) -> Table:
    """Return the table of a mapped class."""
    return cast(Table, mapped.__table__)


TRACKS = (
    select(
        Track.id.label('track_id'),
        Track.name,
        Artist.name.label('artist'),
        Album.title.label('album'),
        Genre.name.label('genre'),
        Track.composer,
        Track.milliseconds,
        Track.unit_price,
    )
    .join_from(Track, Album)
    .join(Artist)
    .join(Genre, Track.genre_id == Genre.id)
    .order_by(Track.id)
)
ORDERS = (
    select(
        Sale.id.label('sale_id'),
        Sale.customer,
        Sale.day,
        Sale.state,
        Track.name.label('track'),
        Artist.name.label('artist'),
        Track.unit_price.label('price'),
    )
    .join_from(Sale, Track)
    .join(Album)
    .join(Artist)
    .order_by(Sale.id)
)


def build(path: Path) -> Engine:
    """Make the database file of SQLite, and fill it.

    :param path: the file to make
    :returns: an engine on it; the caller disposes of it
    """
    engine = create_engine(URL.create('sqlite', database=str(path)))
    fill(engine)
    return engine


def fill(engine: Engine, sales: int = SALES) -> None:
    """Make the tables in an empty database, store the shop, and have the planner count the rows.

    :param sales: how many orders to make up
    """
    names = [table.name for table in Base.metadata.sorted_tables]
    with engine.begin() as connection:
        Base.metadata.create_all(connection)
        for mapped in (Artist, Album, Genre, Track):
            connection.execute(insert(table_of(mapped)), list(read_csv(table_of(mapped))))
        rows = made_up(sales)
        while block := list(islice(rows, BLOCK)):
            connection.execute(insert(table_of(Sale)), block)
    with engine.connect() as connection:
        every = f'TABLE {", ".join(names)}' if engine.dialect.name == 'mariadb' else ''
        connection.execute(text(f'ANALYZE {every}'))
        connection.commit()


def read_csv(table: Table) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table from the CSV file of the package; an empty cell is NULL."""
    source = files('IndexedRedis.demo') / 'chinook' / f'{table.name}.csv'
    convert = {column.name: column.type.python_type for column in table.columns}
    lines = StringIO(source.read_text(encoding='utf-8'), newline='')
    for row in csv.DictReader(lines):
        yield {name: kind(row[name]) if row[name] else None for name, kind in convert.items()}


def made_up(sales: int = SALES) -> Iterator[dict[str, Any]]:
    """Yield the rows of orders, the same in every run."""
    chance = random.Random(SEED)
    tracks = [row['id'] for row in read_csv(table_of(Track))]
    for number in range(1, sales + 1):
        yield {
            'id': number,
            'customer': chance.randrange(1, CUSTOMERS + 1),
            'day': FIRST_DAY + datetime.timedelta(days=number * DAYS // sales),
            'state': chance.choices(STATES, WEIGHTS)[0],
            'track': chance.choice(tracks),
        }


def new_edition(connection: Connection) -> None:
    """Raise every price, and delete the longest tracks, as a shop does over night."""
    long = select(Track.id).where(Track.milliseconds > LONGEST_SOLD)
    connection.execute(delete(Sale).where(Sale.track_id.in_(long)))
    connection.execute(delete(Track).where(Track.milliseconds > LONGEST_SOLD))
    connection.execute(update(Track).values(unit_price=Track.unit_price + PRICE_RISE))
