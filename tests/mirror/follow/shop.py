"""A small shop in SQL and as models, with each kind of select that a mirror follows."""

from __future__ import annotations

import datetime
from decimal import Decimal

import sqlalchemy as sa

from IndexedRedis import IndexedRedisModel, IRField
from IndexedRedis.fields import IRForeignLinkField, IRForeignMultiLinkField
from IndexedRedis.mirror import Mirror

tables = sa.MetaData()

artist = sa.Table(
    'artist', tables,
    sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('name', sa.String(50)),
)  # fmt: skip
album = sa.Table(
    'album', tables,
    sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('artist_id', sa.ForeignKey('artist.id')),
    sa.Column('title', sa.String(50), nullable=False),
    sa.Column('price', sa.Numeric(10, 2)),
    sa.Column('released', sa.Date),
)  # fmt: skip
track = sa.Table(
    'track', tables,
    sa.Column('album_id', sa.ForeignKey('album.id'), primary_key=True),
    sa.Column('number', sa.Integer, primary_key=True),
    sa.Column('name', sa.String(50)),
)  # fmt: skip
# Without foreign keys, so that links may lead nowhere.
staff = sa.Table(
    'staff', tables,
    sa.Column('id', sa.String(20), primary_key=True),
    sa.Column('boss', sa.String(20)),
    sa.Column('on_leave', sa.Boolean, nullable=False, default=False),
)  # fmt: skip
liking = sa.Table(
    'liking', tables,
    sa.Column('staff_id', sa.String(20), primary_key=True),
    sa.Column('album_id', sa.Integer, primary_key=True),
)  # fmt: skip


class Artist(IndexedRedisModel):
    """Row by row."""

    FIELDS = [IRField('id', valueType=int), IRField('name')]
    INDEXED_FIELDS = ['id', 'name']
    KEY_NAME = 'FollowedArtist'


class Album(IndexedRedisModel):
    """A join, with the name of the artist."""

    FIELDS = [
        IRField('id', valueType=int),
        IRForeignLinkField('artist', Artist),
        IRField('artist_name'),
        IRField('title'),
        IRField('price', valueType=Decimal),
        IRField('released', valueType=datetime.date),
    ]
    INDEXED_FIELDS = ['id', 'artist', 'artist_name']
    KEY_NAME = 'FollowedAlbum'


class Track(IndexedRedisModel):
    """A composite key with a link in it."""

    FIELDS = [IRForeignLinkField('album', Album), IRField('number', valueType=int), IRField('name')]
    INDEXED_FIELDS = ['album', 'number']
    KEY_NAME = 'FollowedTrack'


class Staff(IndexedRedisModel):
    """A filter, a link to the same model, and links from a join table."""

    FIELDS = [
        IRField('id'),
        IRForeignLinkField('boss', 'Staff'),
        IRForeignMultiLinkField('likes', Album),
    ]
    INDEXED_FIELDS = ['id']
    KEY_NAME = 'FollowedStaff'


SELECTS = {
    Artist: artist,
    Album: sa.select(
        album.c.id,
        album.c.artist_id.label('artist'),
        artist.c.name.label('artist_name'),
        album.c.title,
        album.c.price,
        album.c.released,
    ).outerjoin(artist, album.c.artist_id == artist.c.id),
    Track: sa.select(track.c.album_id.label('album'), track.c.number, track.c.name),
    Staff: sa.select(staff.c.id, staff.c.boss).where(~staff.c.on_leave),
}
KEYS = {Artist: 'id', Album: 'id', Track: ('album', 'number'), Staff: 'id'}
LINKS = {
    (Staff, 'likes'): sa.select(liking.c.staff_id, liking.c.album_id).order_by(liking.c.album_id)
}
MODELS = [*SELECTS]


def mirror(engine, **how):
    """The mirror of all of it; a link that leads nowhere is null."""
    how = {'dangling': 'null', 'allowEmpty': True, 'maxDrop': None, **how}
    return Mirror(engine, SELECTS, keys=KEYS, links=LINKS, **how)


def fill(connection):
    """Make the tables, with two artists, four albums and some of the rest."""
    tables.create_all(connection)
    day = datetime.date(1977, 5, 1)
    rows = {
        artist: [{'id': n, 'name': f'artist {n}'} for n in (1, 2)],
        album: [
            {'id': 10 + n, 'artist_id': 1 + n % 2, 'title': f'album {n}', 'price': Decimal('9.50')}
            | {'released': day}
            for n in range(4)
        ],
        track: [{'album_id': 10 + n % 4, 'number': n // 4, 'name': f't {n}'} for n in range(8)],
        staff: [
            {'id': 'ann', 'boss': None, 'on_leave': False},
            {'id': 'bob', 'boss': 'ann', 'on_leave': False},
            {'id': 'cid', 'boss': 'nobody', 'on_leave': False},
        ],
        liking: [{'staff_id': 'bob', 'album_id': n} for n in (10, 11)],
    }
    for table, values in rows.items():
        connection.execute(table.insert(), values)


def in_sql(connection):
    """What SQL holds, as `in_redis` tells it."""
    found = {'artists': {row.id: row.name for row in connection.execute(sa.select(artist))}}
    names = found['artists']
    rows = connection.execute(sa.select(album))
    found['albums'] = {
        row.id: (row.artist_id, names.get(row.artist_id), row.title, row.price, row.released)
        for row in rows
    }
    rows = connection.execute(sa.select(track))
    found['tracks'] = {(row.album_id, row.number): row.name for row in rows}
    likes: dict[str, list[int]] = {}
    for row in connection.execute(sa.select(liking).order_by(liking.c.album_id)):
        if row.album_id in found['albums']:
            likes.setdefault(row.staff_id, []).append(row.album_id)
    there = [*connection.execute(sa.select(staff).where(~staff.c.on_leave))]
    known = {row.id for row in there}
    found['staff'] = {
        row.id: (row.boss if row.boss in known else None, likes.get(row.id, [])) for row in there
    }
    found['counts'] = [len(values) for values in found.values()]
    return found


def plain(value):
    """A value without the null of this library."""
    return None if str(type(value).__name__) == 'IRNullType' else value


def in_redis():
    """What Redis holds, by the keys of SQL, and how many objects."""
    found = {
        'artists': {one.id: plain(one.name) for one in Artist.objects.all()},
        'albums': {
            one.id: (
                plain(one.artist) and one.artist.id,
                *(plain(getattr(one, name)) for name in ('artist_name', 'title', 'price')),
                plain(one.released),
            )
            for one in Album.objects.all(cascadeFetch=True)
        },
        'tracks': {
            (one.album.id, one.number): plain(one.name)
            for one in Track.objects.all(cascadeFetch=True)
        },
        'staff': {
            one.id: (plain(one.boss) and one.boss.id, [each.id for each in one.likes or ()])
            for one in Staff.objects.all(cascadeFetch=True)
        },
    }
    found['counts'] = [model.objects.count() for model in MODELS]
    return found
