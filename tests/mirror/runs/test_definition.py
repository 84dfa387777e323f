"""How a mirror is defined. The rule: what cannot work is refused at once, with the remedy."""

from __future__ import annotations

import pickle

import pytest
from sqlalchemy import create_engine, select
from support.processes import run_python

from IndexedRedis import (
    GuardRefusedError,
    IndexedRedisModel,
    InvalidModelException,
    IRField,
    UsageError,
)
from IndexedRedis.fields import IRForeignLinkField
from IndexedRedis.mirror import Mirror
from mirror.catalogue import TABLES, Album, Artist, Employee, Track, album, artist, track

LITE = 'sqlite://'
ARTISTS, ALBUMS = 'SELECT * FROM artist', 'SELECT * FROM album'


def test_targets_come_first():
    names = [
        model.__name__
        for model in Mirror(LITE, {m: select(table) for m, table in TABLES.items()}).models
    ]
    assert names == ['Artist', 'Album', 'Genre', 'MediaType', 'Track', 'Employee']


@pytest.mark.parametrize(
    ('selects', 'how', 'told'),
    [
        ({}, {}, 'a select for each'),
        ({Artist: ARTISTS}, {'keys': {Album: 'id'}}, 'a select for each of its models. Album'),
        ({'Artist': ARTISTS}, {}, "'Artist' is no model"),
        ({Artist: 5}, {}, 'Artist: 5 is no select'),
        ({Artist: ARTISTS}, {'columns': {Artist: {'x': 'nam'}}}, "no field 'nam'.*mean 'name'"),
        ({Artist: ARTISTS}, {'defaults': {Artist: ['nam']}}, "no field 'nam'.*mean 'name'"),
        ({Artist: ARTISTS, Album: ALBUMS}, {}, 'Album.artist links to Artist, so keys='),
        ({Employee: 'SELECT * FROM e'}, {}, 'Employee.reports_to links to Employee, so keys='),
        ({Artist: ARTISTS}, {'mode': 'diff'}, "Artist: mode='diff'.* need keys=.*not None"),
        ({Artist: ARTISTS}, {'mode': 'diff', 'keys': {Artist: 'x'}}, 'indexed field.*id, name'),
        ({Artist: ARTISTS}, {'mode': 'half'}, "mode is one of 'full', 'diff', 'changed', not"),
        ({Artist: ARTISTS}, {'dangling': 'x'}, "dangling is one of 'refuse', 'null', 'skip'"),
        ({Artist: ARTISTS}, {'keys': {Artist: 5}}, 'Artist: a key is the name of a field or'),
        ({Artist: ARTISTS}, {'keys': {Artist: ('id', 5)}}, 'Artist: a key is the name of a'),
        ({Artist: ARTISTS}, {'foldKeys': [Album]}, 'a select for each of its models. Album'),
        ({Artist: ARTISTS}, {'keepPks': True}, 'Artist: keepPks needs keys='),
        (
            {Artist: ARTISTS, Album: ALBUMS},
            {'keys': {Artist: ('id', 'name'), Album: ('artist', 'id')}},
            r'Album.artist links to Artist, whose key has 2 columns \(id, name\), not 1; columns=',
        ),
        (
            {Artist: ARTISTS, Album: ALBUMS},
            {'keys': {Artist: 'id', Album: ('artist', 'id')}, 'keepPks': [Album]},
            'Album: keepPks needs keepPks of Artist too',
        ),
        ({Artist: ARTISTS}, {'columns': {Artist: {('a', 'b'): 'name'}}}, 'feeds a link to one'),
        ({Artist: ARTISTS}, {'links': {(Artist, 'name'): 'SELECT 1'}}, 'Artist.name is no multi'),
        ({Artist: ARTISTS}, {'links': {'albums': 'SELECT 1'}}, "links: 'albums' is no field of"),
        ({Artist: ARTISTS}, {'links': {(Album, 'x'): 'SELECT 1'}}, 'each of its models. Album'),
        ({Artist: ARTISTS, Artist.copyModel(): ARTISTS}, {}, "the same KEY_NAME, 'MirrorArtist'"),
    ],
)
def test_what_cannot_be(selects, how, told):
    with pytest.raises(UsageError, match=told):
        Mirror(LITE, selects, **how)


def test_models_in_a_circle(make_model):
    one = make_model([IRField('id'), IRForeignLinkField('other', 'CircleOther')], key_name='One')
    fields = [IRField('id'), IRForeignLinkField('one', one)]
    body = {'FIELDS': fields, 'INDEXED_FIELDS': [], 'KEY_NAME': 'CircleOther'}
    other = type(IndexedRedisModel)('CircleOther', (IndexedRedisModel,), body)
    selects, keys = {one: 'SELECT 1', other: 'SELECT 1'}, {one: 'id', other: 'id'}
    with pytest.raises(UsageError, match=r'link to each other in a circle.*defaults'):
        Mirror(LITE, selects, keys=keys)
    assert Mirror(LITE, selects, keys=keys, defaults={one: ['other']}).models == [one, other]


def test_all_errors_come_at_once():
    body = {'FIELDS': [IRField('a')], 'INDEXED_FIELDS': ['b']}
    broken = [
        type(IndexedRedisModel)(name, (IndexedRedisModel,), {**body, 'KEY_NAME': name})
        for name in ('Broken', 'BrokenToo')
    ]
    with pytest.raises(InvalidModelException) as caught:
        Mirror(LITE, dict.fromkeys(broken, 'SELECT 1 AS a'))
    assert str(caught.value).count('cannot be used') == 2
    with pytest.raises(UsageError) as refused:
        Mirror(
            'sqlit://',
            {broken[0]: 'SELECT 1', Artist: 7, Album: ALBUMS, Track: 'SELECT 1'},
            columns={Album: {'a': 'x', 'b': 'y'}},
            mode='half',
            dangling='maybe',
        )
    told = str(refused.value)
    for text in (
        'dangling is one of',
        'mode is one of',
        "no dialect 'sqlit'",
        'cannot be used',
        'Artist: 7 is no select',
        "Album has no field 'x'",
        "Album has no field 'y'",
    ):
        assert text in told


def test_a_link_to_what_is_not_mirrored_takes_a_pk(lite, watch_models, redis_params):
    watch_models(Artist, Album)
    ann = Artist(id=5, name='Ann')
    ann.save()
    columns = {Album: {'by': 'artist', 'NR': 'id'}}
    sql = "SELECT 1 AS nr, 1 AS by, 'x' AS title, 2 AS edition UNION SELECT 2, NULL, 'y', 2"
    Mirror(lite, {Album: sql}, columns=columns, keys={Album: 'nr'}, mode='diff').run()
    assert Album.objects.filter(artist=ann).first().title == 'x'
    assert Album.objects.filter(artist=None).first().id == 2


def test_the_primary_key_is_the_key():
    source = Mirror(LITE, {Track: select(track)}, mode='diff')
    assert source.models == [Track]
    renamed = select(artist.c.id.label('id'), artist.c.name, artist.c.edition)
    Mirror(LITE, {Artist: renamed, Album: album}, mode='diff')
    joined = select(album.c.id, artist.c.name, album.c.edition).join_from(album, artist)
    with pytest.raises(UsageError, match='need keys'):
        Mirror(LITE, {Artist: joined}, mode='diff')


def test_models_on_different_servers(lite, redis_params):
    elsewhere = Album.connectAlt({'db': 3})
    with pytest.raises(UsageError, match='different servers'):
        Mirror(lite, {Artist: "SELECT 1 AS id, 'x' AS name, 1 AS edition",
                      elsewhere: "SELECT 1 AS id, 1 AS artist, 'x' AS title, 1 AS edition"},
               keys={Artist: 'id'}).run()  # fmt: skip


def test_without_sqlalchemy():
    text = run_python("""
        import sys
        sys.modules['sqlalchemy'] = None
        try:
            import IndexedRedis.mirror
        except ImportError as error:
            print(type(error).__name__, error)
    """)
    assert text.startswith("MissingExtraError IndexedRedis.mirror needs the extra 'sql'")


def test_what_a_refusal_says_survives_pickling():
    error = pickle.loads(pickle.dumps(GuardRefusedError(['A: x', 'B: y'])))
    assert error.problems == ['A: x', 'B: y']
    assert str(error).splitlines()[1:] == ['A: x', 'B: y']


def test_the_engine_stays_open_and_an_own_one_does_not(redis_params):
    engine = create_engine(LITE)
    mirror = Mirror(engine, {Artist: "SELECT 1 AS id, 'x' AS name, 1 AS edition"})
    for _ in range(2):
        assert mirror.run(dryRun=True).models['Artist'].read == 1
    with pytest.raises(UsageError, match='gives no rows'):
        Mirror(engine, {Artist: 'CREATE TABLE x (id INTEGER)'}).run(dryRun=True)
    engine.dispose()
