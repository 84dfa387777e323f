"""The Chinook catalogue with its links, in SQL and as models; staff with a boss each is made up.

The rule: every table and every model has an `edition`, by which readers tell data sets apart.
"""

from __future__ import annotations

import csv
import datetime
import decimal
from collections.abc import Iterable
from importlib.resources import files
from io import StringIO
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Date,
    ForeignKey,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    insert,
    select,
    update,
)

from IndexedRedis import IndexedRedisModel, IRField
from IndexedRedis.fields import IRFixedPointField, IRForeignLinkField
from IndexedRedis.mirror import Mirror

metadata = MetaData()


def _table(name: str, *columns: Any) -> Table:
    key = Column('id', Integer, primary_key=True, autoincrement=False)
    return Table(name, metadata, key, *columns, Column('edition', Integer, nullable=False))


artist = _table('artist', Column('name', String(200)))
album = _table('album', Column('artist', ForeignKey('artist.id')), Column('title', String(200)))
genre = _table('genre', Column('name', String(200)))
mediatype = _table('mediatype', Column('name', String(200)))
track = _table(
    'track',
    Column('album', ForeignKey('album.id')),
    Column('genre', ForeignKey('genre.id')),
    Column('mediatype', ForeignKey('mediatype.id')),
    Column('name', String(200)),
    Column('composer', String(300)),
    Column('milliseconds', Integer),
    Column('unit_price', Numeric(10, 2)),
)
# No foreign key, so that tests can make what should not be.
employee = _table(
    'employee',
    Column('name', String(200)),
    Column('reports_to', Integer),
    Column('hired', Date),
)


def _model(name: str, fields: list[Any], *indexed: str) -> Any:
    key, edition = IRField('id', valueType=int), IRField('edition', valueType=int)
    body = {
        'FIELDS': [key, *fields, edition],
        'INDEXED_FIELDS': ['id', *indexed, 'edition'],
        'KEY_NAME': f'Mirror{name}',
        '__module__': __name__,
    }
    return type(IndexedRedisModel)(name, (IndexedRedisModel,), body)


Artist = _model('Artist', [IRField('name')], 'name')
Album = _model('Album', [IRForeignLinkField('artist', Artist), IRField('title')], 'artist')
Genre = _model('Genre', [IRField('name')], 'name')
MediaType = _model('MediaType', [IRField('name')])
Track = _model(
    'Track',
    [
        IRForeignLinkField('album', Album),
        IRForeignLinkField('genre', Genre),
        IRForeignLinkField('mediatype', MediaType),
        IRField('name'),
        IRField('composer'),
        IRField('milliseconds', valueType=int),
        IRFixedPointField('unit_price', 2),
    ],
    'album',
    'genre',
    'composer',
)
Employee = _model(
    'Employee',
    [
        IRField('name'),
        IRForeignLinkField('reports_to', 'Employee'),
        IRField('hired', valueType=datetime.datetime),
    ],
    'reports_to',
)

TABLES = {
    Track: track,
    Album: album,
    Artist: artist,
    Genre: genre,
    MediaType: mediatype,
    Employee: employee,
}
# Bosses before and after their people, one who is his own.
STAFF = [(1, 2), (2, 5), (3, 1), (4, None), (5, 4), (6, 6), (7, 1)]
HIRED = datetime.date(2020, 2, 29)


def rows_of(table: Table) -> list[dict[str, Any]]:
    """The rows of a table as they come with the demo; an empty cell is NULL."""
    if table is employee:
        return [
            {'id': key, 'name': f'e{key}', 'reports_to': boss, 'hired': HIRED, 'edition': 1}
            for key, boss in STAFF
        ]
    source = files('IndexedRedis.demo') / 'chinook' / f'{table.name}.csv'
    text = StringIO(source.read_text(encoding='utf-8'), newline='')
    kinds = {column.name: column.type.python_type for column in table.columns}
    kinds = {name: kind for name, kind in kinds.items() if name != 'edition'}
    return [
        {name: kind(row[name]) if row[name] else None for name, kind in kinds.items()}
        | {'edition': 1}
        for row in csv.DictReader(text)
    ]


def fill(connection: Connection, tables: Iterable[Table] = ()) -> None:
    """Make the tables, and put edition 1 into them."""
    metadata.create_all(connection)
    for table in tables or metadata.sorted_tables:
        connection.execute(insert(table), rows_of(table))


def new_edition(connection: Connection, edition: int) -> None:
    """Change every row, and every price."""
    for table in metadata.sorted_tables:
        connection.execute(update(table).values(edition=edition))
    raised = track.c.unit_price + decimal.Decimal('0.10')
    connection.execute(update(track).values(unit_price=raised))


def mirror_of(engine: Any, **rules: Any) -> Mirror:
    """A mirror of the whole catalogue."""
    return Mirror(engine, {model: select(table) for model, table in TABLES.items()}, **rules)
