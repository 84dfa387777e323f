"""From a row that changed to the keys of a select: what is proven, and what is refused."""

from __future__ import annotations

import warnings

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import aliased, declarative_base, relationship

from IndexedRedis import IndexedRedisModel, IRField, UsageError
from IndexedRedis.fields import IRForeignLinkField, IRForeignMultiLinkField
from IndexedRedis.mirror import Mirror
from IndexedRedis.mirror.follow.traces import check_given, keys_in, traces_of

TABLES = sa.MetaData()


def table(name, *columns):
    return sa.Table(name, TABLES, *(sa.Column(each, sa.Integer) for each in columns))


artist = table('artist', 'id', 'country_id', 'name')
country = table('country', 'id', 'name')
album = table('album', 'id', 'artist_id', 'title')
track = table('track', 'id', 'album_id', 'name')
tag = table('tag', 'track_id', 'word_id')
other_track = track.alias()


class Track(IndexedRedisModel):
    FIELDS = [IRField('id', valueType=int), IRField('name')]
    INDEXED_FIELDS = ['id']
    KEY_NAME = 'TracedTrack'


def traces(select, model=Track, keys='id', follow=None, **how):
    mirror = Mirror('sqlite://', {model: select}, keys={model: keys}, **how)
    found = traces_of(mirror._sources, follow or {})
    return {trace.table: trace for trace in found}


@pytest.fixture
def database():
    """A database with one track of an album of an artist of a country, and others."""
    engine = sa.create_engine('sqlite://')
    TABLES.create_all(engine)
    with engine.begin() as connection:
        connection.execute(country.insert(), [{'id': n} for n in (1, 2)])
        rows = [{'id': 10 + n, 'country_id': n} for n in (1, 2)]
        connection.execute(artist.insert(), rows)
        rows = [{'id': 20 + n, 'artist_id': 11} for n in (1, 2)]
        connection.execute(album.insert(), rows)
        rows = [{'id': 30 + n, 'album_id': 20 + n % 2} for n in range(4)]
        connection.execute(track.insert(), rows)
        yield connection
    engine.dispose()


def keys(connection, found, name, *values):
    return keys_in(connection, found[name], [(value,) for value in values])


def test_the_key_of_one_table_is_its_own_trace(database):
    found = traces(sa.select(track.c.id, track.c.name).where(track.c.name != 'x'))
    assert found['track'].columns == ('id',)
    assert keys(database, found, 'track', 5, 6, None) == {5, 6}


def test_joined_tables_lead_to_keys_over_the_equalities(database):
    joined = (
        sa.select(track.c.id, country.c.name)
        .join(album, track.c.album_id == album.c.id)
        .outerjoin(artist, sa.and_(album.c.artist_id == artist.c.id, artist.c.name != 'x'))
        .join(country, artist.c.country_id == country.c.id)
        .where(country.c.name == 'y')
    )
    found = traces(joined)
    assert {name: trace.columns for name, trace in found.items()} == dict.fromkeys(
        ('track', 'album', 'artist', 'country'), ('id',)
    )
    assert keys(database, found, 'album', 21) == {31, 33}
    assert keys(database, found, 'artist', 11) == {31, 33}
    assert keys(database, found, 'country', 2, 3) == set()


def test_a_row_that_was_deleted_still_leads_to_the_rows_that_named_it(database):
    joined = sa.select(track.c.id).join(album, track.c.album_id == album.c.id)
    found = traces(joined, defaults={Track: ['name']})
    database.execute(album.delete().where(album.c.id == 21))
    assert keys(database, found, 'album', 21) == {31, 33}


def test_tables_joined_in_where_are_traced(database):
    joined = sa.select(track.c.id, album.c.title.label('name')).where(
        track.c.album_id == album.c.id, album.c.title == 'x'
    )
    assert keys(database, traces(joined), 'album', 20) == {30, 32}


def test_an_alias_is_traced_as_its_table(database):
    other = album.alias()
    joined = sa.select(track.c.id, other.c.title.label('name')).join(
        other, other.c.id == track.c.album_id
    )
    assert keys(database, traces(joined), 'album', 20) == {30, 32}


def test_attributes_of_mapped_classes_are_columns_of_their_tables(database):
    base = declarative_base(metadata=sa.MetaData())

    class MappedAlbum(base):
        __tablename__ = 'album'
        id = sa.Column(sa.Integer, primary_key=True)
        title = sa.Column(sa.Integer)

    class MappedTrack(base):
        __tablename__ = 'track'
        id = sa.Column(sa.Integer, primary_key=True)
        album_id = sa.Column(sa.ForeignKey('album.id'))
        album = relationship(MappedAlbum)

    of_album = sa.select(MappedTrack.id, MappedAlbum.title.label('name'))
    other = aliased(MappedAlbum)
    by_alias = sa.select(MappedTrack.id, other.title.label('name'))
    for joined in (
        of_album.join(MappedTrack.album),
        of_album.where(MappedTrack.album_id == MappedAlbum.id),
        by_alias.join(other, other.id == MappedTrack.album_id),
    ):
        found = traces(joined)
        assert keys(database, found, 'album', 20) == {30, 32}
        assert keys(database, found, 'track', 30) == {30}


def test_rows_that_point_to_the_key_hold_it(database):
    counted = (
        sa.select(album.c.id, sa.func.count(track.c.id).label('name'))
        .join(track, track.c.album_id == album.c.id)
        .group_by(album.c.id)
    )
    found = traces(counted)
    assert found['track'].columns == ('album_id',)
    assert keys(database, found, 'track', 7, 8) == {7, 8}


def test_a_join_table_leads_to_the_row_that_links(database):
    class Word(IndexedRedisModel):
        FIELDS = [IRField('id', valueType=int)]
        INDEXED_FIELDS = ['id']
        KEY_NAME = 'TracedWord'

    class Tagged(IndexedRedisModel):
        FIELDS = [IRField('id', valueType=int), IRForeignMultiLinkField('words', Word)]
        INDEXED_FIELDS = ['id']
        KEY_NAME = 'TracedTagged'

    links = {(Tagged, 'words'): sa.select(tag.c.track_id, tag.c.word_id)}
    mirror = Mirror(
        'sqlite://',
        {Tagged: sa.select(track.c.id), Word: sa.select(country.c.id)},
        keys={Tagged: 'id', Word: 'id'},
        links=links,
    )
    found = {trace.table: trace for trace in traces_of(mirror._sources, {})}
    assert found['tag'].source.model is Tagged
    assert keys(database, found, 'tag', 31) == {31}


@pytest.mark.parametrize('select', ['SELECT id FROM track', sa.select(track.c.id)])
def test_join_tables_of_links_are_followed_beside_given_traces(select):
    word = type('TracedWord', (IndexedRedisModel,), {'FIELDS': [], 'KEY_NAME': 'TracedWord'})

    class Tagged(IndexedRedisModel):
        FIELDS = [IRField('id', valueType=int), IRForeignMultiLinkField('words', word)]
        INDEXED_FIELDS = ['id']
        KEY_NAME = 'TracedTagged'

    def followed(join, *given):
        mirror = Mirror(
            'sqlite://', {Tagged: select}, keys={Tagged: 'id'}, links={(Tagged, 'words'): join}
        )
        found = traces_of(mirror._sources, {Tagged: given})
        return [(trace.table, trace.columns) for trace in found]

    join = sa.select(tag.c.track_id, tag.c.word_id)
    own, mine = ('track', ('id',)), ('tag', ('track_id',))
    assert followed(join, (track, 'id')) == [own, mine]
    assert followed(join, (track, 'id'), (tag, 'track_id')) == [own, mine]
    assert followed('SELECT track_id, word_id FROM tag', (track, 'id')) == [own]


@pytest.mark.parametrize(
    ('select', 'reason'),
    [
        ('SELECT id, name FROM track', 'the select is SQL text'),
        (sa.select(track.c.id, track.c.name).limit(3), 'it has a limit'),
        (
            sa.select(track.c.id, track.c.name).prefix_with('DISTINCT ON (album_id)'),
            'it has DISTINCT ON, or words of a database',
        ),
        (
            sa.select(track.c.id, track.c.name).suffix_with('FETCH FIRST ROW ONLY'),
            'it has DISTINCT ON, or words of a database',
        ),
        (
            sa.select(track.c.id, sa.literal_column('rank() OVER (ORDER BY id)').label('name')),
            'a window function looks at other rows',
        ),
        (
            sa.select(track.c.id, sa.func.max(track.c.name).label('name')),
            r'max\(\) makes one row of all',
        ),
        (
            sa.select(track.c.id, sa.func.max(track.c.name).label('name')).group_by(
                track.c.album_id
            ),
            'it groups rows, but not by its key',
        ),
        (
            sa.select(track.c.id, sa.func.row_number().over().label('name')),
            'a window function looks at other rows',
        ),
        (
            sa.select(track.c.id, sa.select(album.c.title).scalar_subquery().label('name')),
            "it reads 'album' in a subquery",
        ),
        (
            sa.select(track.c.id, track.c.name).where(track.c.album_id.in_(sa.select(album.c.id))),
            "it reads 'album' in a subquery",
        ),
        (
            sa.select(track.c.id, track.c.name).where(
                ~sa.exists().where(other_track.c.id > track.c.id)
            ),
            'it reads its own table in a subquery',
        ),
        (
            sa.select(track.c.id, track.c.name).where(
                sa.text('album_id IN (Select id FROM album)')
            ),
            'a text in it has a subquery: album_id IN',
        ),
        (
            sa.select(track.c.id, sa.literal_column('(SELECT 1)').label('name')),
            'a text in it has a subquery: ',
        ),
        (sa.select((track.c.id + 1).label('id'), track.c.name), 'is not a column of a table'),
        (
            sa.select(track.c.id, album.c.title.label('name')).join(
                album, track.c.album_id < album.c.id
            ),
            "no equality of columns joins 'album'",
        ),
        (
            sa.select(track.c.id, album.c.title.label('name')).join(
                album, sa.or_(track.c.album_id == album.c.id, album.c.id == 1)
            ),
            "no equality of columns joins 'album'",
        ),
        (
            sa.select(track.c.id, sa.select(album).subquery().c.title.label('name')),
            'it selects from a Subquery, not from a table',
        ),
        (
            sa.union(sa.select(track.c.id, track.c.name), sa.select(album.c.id, album.c.title)),
            'the select is a CompoundSelect, not one select',
        ),
    ],
)
def test_what_cannot_be_proven_is_refused(select, reason):
    with pytest.raises(UsageError, match=reason) as refused:
        traces(select)
    assert 'Track: the mirror cannot derive which rows' in str(refused.value)


def test_given_traces_lead_to_keys_by_columns_and_by_selects(database):
    find = sa.select(track.c.id).where(track.c.album_id == sa.bindparam('id'))
    for lookup in ('SELECT id FROM track WHERE album_id = :id', find):
        given = {Track: [(track, 'id'), ('public.album', lookup)]}
        found = traces('SELECT id, name FROM track', follow=given)
        assert found['album'].schema == 'public'
        assert found['album'].columns == ('id',)
        assert keys(database, found, 'album', 20, 99) == {30, 32}
        assert keys(database, found, 'track', 31) == {31}


# Each with the number of queries for 600 values.
TEXTS = [
    ('SELECT id FROM track WHERE album_id = :id', 2),
    ('select distinct t.id\nfrom track as t where t.name = 7 and t.album_id = :id', 2),
    (
        'SELECT t.id AS track FROM album a LEFT JOIN track t ON t.album_id = a.id AND t.name = 7 '
        "WHERE a.id = :id AND a.title = 'x, y' AND t.name = a.title",
        2,
    ),
    ('SELECT track.id FROM album, track WHERE album.id = track.album_id AND album.id = :id', 2),
    ('SELECT max(id) FROM track WHERE album_id = :id', 600),
    ('SELECT id FROM track WHERE album_id = :id LIMIT 1', 600),
    ('SELECT id FROM track WHERE album_id = :id GROUP BY album_id', 600),
    ('SELECT id FROM track WHERE NOT album_id = :id', 600),
    ('SELECT id FROM track WHERE id = 30 OR album_id = :id', 600),
    ('SELECT id FROM track WHERE album_id = :id OR id = 30', 600),
    ('SELECT id FROM track WHERE album_id <> :id', 600),
    ('SELECT id FROM track WHERE name BETWEEN 1 AND album_id = :id', 600),
    ('SELECT id FROM track WHERE album_id = :id AND (name = 7 OR id = 30)', 600),
    ('SELECT id FROM track WHERE album_id = :id -- AND name = 7', 600),
    ('SELECT id FROM track WHERE album_id = :id EXCEPT SELECT id FROM track WHERE id = 30', 600),
    ('SELECT id FROM track WHERE album_id = :id AND id = :id', 600),
    ('SELECT album_id = :id FROM track WHERE id = 30', 600),
]


@pytest.mark.parametrize(('sql', 'queries'), TEXTS)
def test_a_text_is_asked_for_many_values_at_once_where_that_is_the_same(database, sql, queries):
    database.execute(track.insert(), [{'id': 100 + n, 'album_id': n} for n in range(600)])
    database.execute(track.update().where(track.c.id % 3 == 0).values(name=7))
    database.execute(album.insert(), [{'id': 100 + n, 'title': 'x, y'} for n in range(400)])
    each = {
        row[0] for n in range(600) for row in database.execute(sa.text(sql), {'id': n}) if row[0]
    }
    asked = []
    sa.event.listen(database, 'before_cursor_execute', lambda *given: asked.append(given[2]))
    found = traces('SELECT id, name FROM track', follow={Track: [(album, sql)]})
    assert keys(database, found, 'album', *range(600)) - {0, None} == each
    assert len(asked) == queries
    assert keys(database, found, 'album', None, 5) - {0, None} <= each


@pytest.mark.parametrize(
    ('given', 'reason'),
    [
        ([('track', 'SELECT id FROM track')], 'has no parameter'),
        ([('track', ('id', 'name'))], 'the key has 1 columns'),
        ([('', 'id')], 'names tables'),
        (['track'], 'takes pairs'),
    ],
)
def test_a_given_trace_that_leads_nowhere_is_refused(given, reason):
    with pytest.raises(UsageError, match=reason):
        traces('SELECT id, name FROM track', follow={Track: given})


def test_a_given_trace_of_no_model_is_refused():
    with pytest.raises(UsageError, match="follow= names 'Track', which is no model of this mirror"):
        traces(sa.select(track), follow={'Track': [(track, 'id')]})


def test_a_link_in_the_key_is_a_column_of_the_table(database):
    class Album(IndexedRedisModel):
        FIELDS = [IRField('id', valueType=int)]
        INDEXED_FIELDS = ['id']
        KEY_NAME = 'TracedAlbum'

    class Place(IndexedRedisModel):
        FIELDS = [IRForeignLinkField('album', Album), IRField('id', valueType=int)]
        INDEXED_FIELDS = ['album', 'id']
        KEY_NAME = 'TracedPlace'

    select = sa.select(track.c.album_id.label('album'), track.c.id)
    mirror = Mirror(
        'sqlite://',
        {Album: sa.select(album.c.id), Place: select},
        keys={Album: 'id', Place: ('album', 'id')},
    )
    found = {trace.table: trace for trace in traces_of(mirror._sources, {})}
    assert found['track'].columns == ('album_id', 'id')
    assert keys_in(database, found['track'], [(20, 30), (None, 1)]) == {(20, 30)}


@pytest.mark.parametrize(
    ('lookup', 'reason'),
    [
        ('SELECT nothing FROM track WHERE album_id = :id', "follows 'album' fails: .*nothing"),
        (
            'SELECT id, name FROM track WHERE album_id = :id',
            r"follows 'album' has 2 columns; the key has 1 \(id\)",
        ),
    ],
)
def test_a_given_select_that_does_not_find_keys_is_refused_at_the_start(database, lookup, reason):
    found = traces('SELECT id, name FROM track', follow={Track: [('album', lookup)]})
    with pytest.raises(UsageError, match=reason):
        check_given(database, found['album'])


def test_distinct_on_is_refused():
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # since SQLAlchemy 2.1 it is spelled in another way
        latest = sa.select(track.c.id, track.c.name).distinct(track.c.album_id)
    with pytest.raises(UsageError, match='it has DISTINCT ON'):
        traces(latest)
    assert traces(sa.select(track.c.id, track.c.name).distinct())
    distinct_on = getattr(postgresql, 'distinct_on', None)
    if distinct_on is not None:
        with pytest.raises(UsageError, match='it has DISTINCT ON'):
            traces(sa.select(track.c.id, track.c.name).ext(distinct_on(track.c.album_id)))


def test_text_of_another_table_leads_to_keys_that_sql_holds_equal():
    """By a collation that ignores case, as MariaDB's do, its row leads to the key in other case."""
    metadata = sa.MetaData()
    one, other = (
        sa.Table(name, metadata, sa.Column('code', sa.String(9, collation='NOCASE')))
        for name in 'ab'
    )
    engine = sa.create_engine('sqlite://')
    metadata.create_all(engine)
    joined = sa.select(one.c.code.label('id')).join(other, one.c.code == other.c.code)
    found = traces(joined, defaults={Track: ['name']})
    with engine.begin() as connection:
        connection.execute(one.insert(), [{'code': 'abc'}, {'code': 'k'}])
        assert keys(connection, found, 'b', 'ABC') == {'abc'}
        assert keys(connection, found, 'a', 'abc') == {'abc'}
    engine.dispose()
