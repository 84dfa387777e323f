"""What is missing to follow a database, and what is made there."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine

from IndexedRedis.errors import MirrorError
from IndexedRedis.mirror.follow.postgres import PostgresSource, source
from IndexedRedis.testing.databases import Database, fresh
from mirror.follow.postgres.shop import Shop

SOURCE = PostgresSource()
TABLE = {'public.t': ('id',)}
CREATE = 'CREATE TABLE t (id int PRIMARY KEY, v text)'
# What is wrong with a table, and what the plan says.
REFUSED = {
    'CREATE TABLE t (id int)': ['public.t: the log', 'ALTER TABLE public.t REPLICA IDENTITY FULL'],
    'CREATE TABLE t (id int, k int PRIMARY KEY)': ['ALTER TABLE public.t REPLICA IDENTITY FULL'],
    f'{CREATE}; ALTER TABLE t REPLICA IDENTITY NOTHING': ['REPLICA IDENTITY FULL'],
    'CREATE TABLE t (k int PRIMARY KEY)': ['public.t.id: there is no such column'],
    'SELECT 1': ['There is no table public.t'],
    'CREATE VIEW t AS SELECT 1 AS id': ['public.t: is not in the log'],
    'CREATE UNLOGGED TABLE t (id int PRIMARY KEY)': ['public.t: is not in the log'],
    'CREATE TABLE t (id timestamp PRIMARY KEY)': [
        'public.t.id',
        'type timestamp without time zone',
    ],
    'CREATE TABLE t (id int4range PRIMARY KEY)': ['public.t.id', 'type int4range'],
    "CREATE TYPE mood AS ENUM ('a'); CREATE TABLE t (id mood PRIMARY KEY)": ['type mood'],
    'CREATE TABLE t (v int, id int GENERATED ALWAYS AS (v) STORED PRIMARY KEY)': ['a generated'],
    f'{CREATE}; CREATE TABLE c () INHERITS (t)': ['INHERITS'],
    'CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id);'
    'CREATE TABLE t PARTITION OF p FOR VALUES FROM (1) TO (2)': ['is a partition'],
    'CREATE TABLE t (id int) PARTITION BY RANGE (id);'
    'ALTER TABLE t REPLICA IDENTITY FULL;'
    'CREATE TABLE c PARTITION OF t FOR VALUES FROM (1) TO (2)': ['TABLE public.c REPLICA IDENTITY'],
}
TAKEN = {
    'CREATE TABLE t (id int PRIMARY KEY)': 'the primary key',
    'CREATE TABLE t (id int); ALTER TABLE t REPLICA IDENTITY FULL': 'all columns',
    'CREATE TABLE t (id int NOT NULL UNIQUE); ALTER TABLE t REPLICA IDENTITY USING INDEX t_id_key':
        'those of an index',
}  # fmt: skip


@pytest.fixture
def ask(engine):
    """Return the plan of a table that a statement makes, for a role that may do everything."""

    def ask(statement, tables=TABLE, name='shop'):
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)
        with engine.connect() as connection:
            return SOURCE.plan(connection, name, tables)

    yield ask
    with engine.connect() as connection:
        SOURCE.drop(connection, 'shop')


@pytest.mark.parametrize('statement', REFUSED)
def test_a_table_that_cannot_be_followed_is_a_problem(ask, statement):
    plan = ask(statement)
    for said in REFUSED[statement]:
        assert said in ' '.join(plan.problems)
    assert plan.statements == []


@pytest.mark.parametrize('statement', TAKEN)
def test_a_table_can_be_followed_by_the_columns_of_its_replica_identity(ask, statement):
    assert ask(statement).problems == []


def test_preparing_makes_what_is_missing_and_nothing_else(engine, ask):
    plan = ask(CREATE, name='Shop')
    assert plan.statements == [
        'CREATE PUBLICATION "indexedredis_shop" FOR TABLE public.t '
        'WITH (publish_via_partition_root = true)',
        "SELECT pg_create_logical_replication_slot('indexedredis_shop', 'pgoutput')",
    ]
    with engine.connect() as connection:
        SOURCE.prepare(connection, plan)
    assert ask('SELECT 1').statements == []
    two = ask('CREATE TABLE "T w" (id int PRIMARY KEY)', TABLE | {'public.T w': ('id',)})
    assert two.statements == [
        'ALTER PUBLICATION "indexedredis_shop" SET TABLE public."T w", public.t'
    ]
    with engine.connect() as connection:
        SOURCE.prepare(connection, two)
    (back,) = ask(
        "ALTER PUBLICATION indexedredis_shop SET (publish = 'insert')", two_of()
    ).statements
    assert back.startswith('ALTER PUBLICATION "indexedredis_shop" SET (publish = \'insert, update')
    with engine.connect() as connection:
        assert SOURCE.drop(connection, 'shop') == [
            "SELECT pg_drop_replication_slot('indexedredis_shop')",
            'DROP PUBLICATION "indexedredis_shop"',
        ]
        assert SOURCE.drop(connection, 'shop') == []


def two_of():
    return TABLE | {'public.T w': ('id',)}


def test_a_slot_older_than_its_publication_is_made_anew(engine, ask):
    with engine.connect() as connection:
        SOURCE.prepare(connection, ask(CREATE))
    plan = ask('DROP PUBLICATION indexedredis_shop')
    assert [statement.split('(')[0] for statement in plan.statements] == [
        'CREATE PUBLICATION "indexedredis_shop" FOR TABLE public.t WITH ',
        'SELECT pg_drop_replication_slot',
        'SELECT pg_create_logical_replication_slot',
    ]
    with engine.connect() as connection:
        SOURCE.prepare(connection, plan)


def test_names_of_others_are_problems(engine, ask):
    ask(f'{CREATE}; CREATE PUBLICATION indexedredis_shop FOR ALL TABLES')
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "SELECT pg_create_logical_replication_slot('indexedredis_shop', 'test_decoding')"
        )
    publication, slot = ask('SELECT 1').problems
    assert publication == (
        'The publication indexedredis_shop is for all tables. '
        'Drop it, or give the mirror another name.'
    )
    assert 'the plugin test_decoding' in slot
    (problem,) = ask('SELECT 1', name='x' * 60).problems
    assert 'longer than 63' in problem


@pytest.fixture
def poor(engine):
    """An engine of a role that owns nothing."""
    with engine.begin() as connection:
        connection.exec_driver_sql('DROP ROLE IF EXISTS poor; CREATE ROLE poor LOGIN')
    poor = create_engine(engine.url.set(username='poor'))
    yield poor
    poor.dispose()
    with engine.begin() as connection:
        connection.exec_driver_sql('DROP OWNED BY poor; DROP ROLE poor')


def test_rights_that_are_missing_are_named_with_what_mends_them(engine, poor, ask):
    ask(CREATE)
    with poor.connect() as connection:
        plan = SOURCE.plan(connection, 'shop', TABLE)
    replication, publishing = plan.problems
    reading = plan.warnings[-1]
    assert reading.startswith('The role poor may not read public.t.')
    mends = [replication.split('runs ')[1].split(';')[0], publishing.split('runs ')[1].rstrip('.')]
    assert (
        'it does not own public.t, and lacks the right CREATE of the database logged' in publishing
    )
    mends.append(reading.split('runs ')[1])
    with engine.begin() as connection:
        connection.exec_driver_sql('; '.join(mends))
    with poor.connect() as connection:
        plan = SOURCE.plan(connection, 'shop', TABLE)
    assert not plan.problems and 'may not read' not in str(plan.warnings)
    shop = Shop(poor, TABLE, 'SELECT 1')
    with engine.begin() as connection:
        connection.exec_driver_sql('INSERT INTO t VALUES (1)')
    assert shop.touched() == [{'public.t': {(1,)}}]
    with pytest.raises(MirrorError, match='runs DROP PUBLICATION'):
        shop.close()


def test_an_owner_with_the_rights_needs_no_administrator(engine, poor, ask):
    ask(f'{CREATE}; ALTER TABLE t OWNER TO poor; GRANT CREATE ON DATABASE logged TO poor')
    with engine.begin() as connection:
        connection.exec_driver_sql('ALTER ROLE poor REPLICATION')
    with Shop(poor, TABLE, 'INSERT INTO t VALUES (1)') as shop:
        shop.run('INSERT INTO t VALUES (2)')
        assert shop.touched() == [{'public.t': {(2,)}}]


def test_settings_of_the_server_that_are_missing_are_named():
    config = {'max_replication_slots': '0', 'max_slot_wal_keep_size': '1GB'}
    with Database('postgresql', config) as database:
        engine = fresh(database, 'shop')
        with engine.begin() as connection:
            connection.exec_driver_sql(CREATE)
            plan = SOURCE.plan(connection, 'shop', TABLE)
        engine.dispose()
    level, slots = plan.problems
    assert 'ALTER SYSTEM SET wal_level = logical' in level
    assert 'All 0 replication slots are in use' in slots
    assert plan.warnings == []


def test_a_disk_without_a_limit_is_a_warning(ask):
    (warning,) = ask(CREATE).warnings
    assert 'ALTER SYSTEM SET max_slot_wal_keep_size' in warning


def test_an_open_transaction_that_delays_the_slot_is_named(engine, ask, monkeypatch):
    monkeypatch.setattr(source, 'MOST_WAIT', '100ms')
    plan = ask(CREATE)
    with engine.connect() as busy, engine.connect() as connection:
        busy.exec_driver_sql('INSERT INTO t VALUES (1)')
        process = busy.exec_driver_sql('SELECT pg_backend_pid()').scalar()
        with pytest.raises(MirrorError, match=f'process {process} of tester since'):
            SOURCE.prepare(connection, plan)
        busy.rollback()
        SOURCE.prepare(connection, ask('SELECT 1'))
    assert ask('SELECT 1').statements == []


def test_a_slot_that_is_read_is_not_dropped(shop, monkeypatch):
    monkeypatch.setattr(source, 'MOST_LEAVING', 0.1)
    with (
        shop.engine.connect() as connection,
        pytest.raises(MirrorError, match='is read by process'),
    ):
        SOURCE.drop(connection, 'shop')
    shop.run('INSERT INTO artist VALUES (1)')
    assert len(shop.commits()) == 1


def test_names_are_found_as_the_database_finds_them(engine):
    with engine.begin() as connection:
        connection.exec_driver_sql(
            'CREATE SCHEMA "S 1"; CREATE TABLE "S 1"."A.b" (id int); CREATE TABLE t (id int);'
            'CREATE VIEW v AS SELECT 1; SET LOCAL search_path = public, "S 1"'
        )
        find = SOURCE.name_of
        assert find(connection, 't', None) == find(connection, 't', 'public') == 'public.t'
        assert find(connection, 'A.b', None) == find(connection, 'A.b', 'S 1') == 'S 1.A.b'
        assert [find(connection, name, None) for name in ('T', 'a.b', 'v', 'x')] == [None] * 4
        assert find(connection, 't', 'S 1') is None
