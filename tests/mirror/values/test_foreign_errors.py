"""What others would say in words of their own. The rule: the message names the model, the row and
what to do."""

from __future__ import annotations

import pytest
from sqlalchemy import JSON, Date, Integer, String, create_engine, text
from sqlalchemy.orm import Session, sessionmaker

from IndexedRedis import GuardRefusedError, IRField, MirrorError, UsageError, resetChanged
from IndexedRedis.fields import IRForeignLinkField
from IndexedRedis.mirror import Mirror

NO_LOOP = r'needs an event loop.*postgresql\+psycopg://'


@pytest.fixture
def person(make_model):
    return make_model([IRField('id', valueType=int), 'born'], indexed=['id'])


@pytest.fixture
def engine():
    engine = create_engine('sqlite://')
    yield engine
    engine.dispose()


SELECT = text('SELECT 1 AS id')


@pytest.mark.parametrize(
    ('url', 'remedy'),
    [
        ('postgres://shop@db/shop', r"no dialect 'postgres'\. Write postgresql\+psycopg://"),
        ('postgresql+psycopg3://shop@db/shop', r'Write postgresql\+psycopg://'),
        ('sqlite3:///shop.db', 'Write sqlite:///'),
        ('nosuch://db', r"no dialect 'nosuch'\. Write dialect\+driver"),
        ('postgresql+asyncpg://shop@db/shop', NO_LOOP),
        ('sqlite+aiosqlite:///shop.db', NO_LOOP),
    ],
)
def test_urls(person, url, remedy):
    with pytest.raises(UsageError, match=remedy):
        Mirror(url, {person: SELECT})


class AsyncEngine:
    """Stands for SQLAlchemy's, which needs a driver that is not installed here."""


def test_what_is_no_engine(person, engine):
    with engine.connect() as connection, Session(engine) as session:
        for given, remedy in {
            connection: r'given was a Connection\..*connection\.engine',
            session: r'given was a Session\..*session\.get_bind',
            sessionmaker(engine): 'Give the Engine',
            AsyncEngine(): f'AsyncEngine {NO_LOOP}',
            object(): r'create_engine\(\.\.\.\), or a URL',
        }.items():
            with pytest.raises(UsageError, match=remedy):
                Mirror(given, {person: SELECT})


def test_an_engine_for_asyncio(person, engine, monkeypatch):
    monkeypatch.setattr(engine.dialect, 'is_async', True)
    with pytest.raises(UsageError, match=NO_LOOP):
        Mirror(engine, {person: SELECT})


def test_a_driver_that_is_not_installed(person, monkeypatch):
    monkeypatch.setitem(__import__('sys').modules, 'psycopg2', None)
    mirror = Mirror('postgresql+psycopg2://shop:secret@db/shop', {person: SELECT})
    with pytest.raises(UsageError, match=r'postgresql\+psycopg2:// is not installed') as caught:
        mirror.run(dryRun=True)
    assert 'secret' not in str(caught.value)


@pytest.mark.parametrize('dry', [True, False])
def test_a_key_that_is_a_list(person, engine, dry):
    both = "SELECT '[1, 2]' AS key, 1 AS id, 'x' AS born UNION ALL SELECT '3', 2, 'y'"
    rows = text(both).columns(key=JSON, id=Integer, born=String)
    mirror = Mirror(engine, {person: rows}, keys={person: 'key'})
    told = rf'{person.__name__}\.key: a list identifies no row; given was \[1, 2\]\. Select a'
    with pytest.raises(GuardRefusedError, match=told):
        mirror.run(dryRun=dry)
    assert mirror.run(skipBad=True).models[person.__name__].written == 1


@pytest.mark.parametrize('kind', ['[1]', '{"id": 1}'])
def test_a_link_that_is_a_list(make_model, engine, kind):
    target = make_model([IRField('id', valueType=int)])
    source = make_model([IRField('id', valueType=int), IRForeignLinkField('boss', target)])
    rows = text(f"SELECT 7 AS id, '{kind}' AS boss").columns(id=Integer, boss=JSON)
    selects = {target: SELECT, source: rows}
    mirror = Mirror(engine, selects, keys={target: 'id', source: 'id'})
    told = rf'row 7: {source.__name__}\.boss: a (list|dict) identifies no row'
    with pytest.raises(GuardRefusedError, match=told):
        mirror.run()


@pytest.mark.parametrize('dry', [True, False])
def test_a_value_that_the_driver_cannot_read(person, engine, dry):
    """PostgreSQL's infinity, a date after the year 9999: the driver raises while it fetches."""
    good = "SELECT 1 AS id, '2020-01-01' AS born UNION ALL " * 3
    rows = text(f"{good} SELECT 2, 'infinity'").columns(id=Integer, born=Date)
    mirror = Mirror(engine, {person: rows})
    told = rf'{person.__name__}: after 0 rows came a value.*infinity.*Nothing was changed.*NULLIF'
    with pytest.raises(MirrorError, match=told):
        mirror.run(dryRun=dry)
    assert person.objects.count() == 0


@pytest.mark.parametrize('wrong', [{'born': ['born']}, {5: 'born'}])
def test_a_column_that_is_a_list(person, engine, wrong):
    with pytest.raises(
        UsageError, match=rf'{person.__name__}: columns, defaults and epochs.*given was'
    ):
        Mirror(engine, {person: SELECT}, columns={person: wrong})


@pytest.mark.parametrize('key', [['id', ['id']], {'id': 1}, 5])
def test_a_key_of_resetChanged_that_is_a_list(person, key):
    with pytest.raises(UsageError, match=rf'{person.__name__}: keys has to name an indexed field'):
        resetChanged({person: [person(id=1)]}, {person: key})
