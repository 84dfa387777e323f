"""What a commit of a real server touches, by the kind of its changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import create_engine

from IndexedRedis.mirror.follow.postgres import collector
from mirror.follow.postgres.shop import Shop

ARTIST, ALBUM = 'public.artist', 'public.album'
ID = UUID('6ba7b810-9dad-11d1-80b4-00c04fd430c8')
# Types of key columns, a value of each in SQL, and what it is in Python.
VALUES = [
    ('smallint', '-1', -1),
    ('integer', '7', 7),
    ('bigint', '9223372036854775807', 9223372036854775807),
    ('text', "E'Björk\\n;:'", 'Björk\n;:'),
    ('varchar(9)', "' '", ' '),
    ('character(4)', "'ab'", 'ab  '),
    ('uuid', f"'{ID}'", ID),
    ('boolean', 'true', True),
    ('boolean', 'false', False),
    ('numeric', '1.50', Decimal('1.50')),
    ('numeric(12, 2)', '-12345678.9', Decimal('-12345678.90')),
    ('date', "'2024-02-29'", date(2024, 2, 29)),
    ('code', '5', 5),
]


def test_an_insert_touches_the_new_key(shop):
    shop.run("INSERT INTO artist VALUES (1, 'A'), (2, NULL)", 'INSERT INTO album VALUES (5, 1)')
    (commit,) = shop.commits()
    assert commit.touched == {ARTIST: {(1,), (2,)}, ALBUM: {(5, 1)}}
    assert (commit.changes, commit.whole) == (3, set())
    assert timedelta(0) <= datetime.now(UTC) - commit.at < timedelta(minutes=5)


def test_an_update_touches_the_values_before_and_after(shop):
    shop.run('INSERT INTO artist VALUES (1)', 'INSERT INTO album VALUES (5, 1)')
    shop.commits()
    shop.run("UPDATE artist SET name = 'B'")
    shop.run('UPDATE artist SET id = 2')
    shop.run('UPDATE album SET artist_id = NULL')
    assert shop.touched() == [
        {ARTIST: {(1,)}},
        {ARTIST: {(1,), (2,)}},
        {ALBUM: {(5, 1), (5, None)}},
    ]


def test_a_delete_touches_the_old_values(shop):
    shop.run('INSERT INTO artist VALUES (1)', 'INSERT INTO album VALUES (5, 1)')
    shop.commits()
    shop.run('DELETE FROM artist', 'DELETE FROM album')
    assert shop.touched() == [{ARTIST: {(1,)}, ALBUM: {(5, 1)}}]


def test_an_update_that_leaves_a_large_key_touches_it(engine):
    """The new row has no value of it, the old one has."""
    schema = """
        CREATE TABLE page (url text, visits int);
        ALTER TABLE page REPLICA IDENTITY FULL;
        ALTER TABLE page ALTER url SET STORAGE EXTERNAL
    """
    with Shop(engine, {'public.page': ('url',)}, schema) as shop:
        shop.run("INSERT INTO page VALUES (repeat('x', 9000), 1)")
        shop.run('UPDATE page SET visits = 2')
        assert shop.touched() == [{'public.page': {('x' * 9000,)}}] * 2


def test_a_truncated_table_is_whole(shop):
    shop.run('INSERT INTO artist VALUES (1)', 'INSERT INTO album VALUES (5, 1)')
    shop.run('INSERT INTO artist VALUES (2)', 'TRUNCATE artist', 'INSERT INTO artist VALUES (3)')
    first, second, *_ = shop.commits()
    assert first.whole == set()
    assert (second.touched, second.whole) == ({}, {ARTIST})


def test_rolled_back_changes_are_in_no_commit(shop):
    with shop.transaction('INSERT INTO artist VALUES (1)') as connection:
        connection.rollback()
    with shop.transaction('INSERT INTO artist VALUES (2)') as connection:
        part = connection.begin_nested()
        connection.exec_driver_sql('INSERT INTO artist VALUES (3)')
        part.rollback()
        connection.commit()
    assert shop.touched() == [{ARTIST: {(2,)}}]


def test_transactions_without_followed_rows_are_no_commits(shop):
    shop.run('INSERT INTO other VALUES (1)')
    shop.run('CREATE TABLE more (id int)')
    shop.run("SELECT pg_logical_emit_message(true, 'a', 'b')")
    assert shop.commits() == []


def test_more_rows_than_are_kept_make_a_table_whole(shop, monkeypatch):
    monkeypatch.setattr(collector, 'MOST_ROWS', 10)
    shop.run('INSERT INTO artist SELECT generate_series(1, 10)')
    shop.run('INSERT INTO artist SELECT generate_series(11, 21)', 'INSERT INTO album VALUES (1, 2)')
    some, many = shop.commits()
    assert some.whole == set()
    assert (many.touched, many.whole, many.changes) == ({ALBUM: {(1, 2)}}, {ARTIST}, 12)


@pytest.mark.parametrize('driver', ['psycopg', 'psycopg2'])
def test_values_equal_those_of_a_select(engine, driver):
    columns = ', '.join(f'c{number} {kind}' for number, (kind, *_) in enumerate(VALUES))
    schema = f"""
        CREATE DOMAIN code AS integer CHECK (VALUE > 0);
        CREATE TABLE thing ({columns});
        ALTER TABLE thing REPLICA IDENTITY FULL
    """
    names = tuple(f'c{number}' for number, _ in enumerate(VALUES))
    with Shop(engine, {'public.thing': names}, schema) as shop:
        shop.run(f'INSERT INTO thing VALUES ({", ".join(sql for _, sql, _ in VALUES)})')
        shop.run(f'INSERT INTO thing VALUES ({", ".join("NULL" for _ in VALUES)})')
        [[(values)]], [[(nulls)]] = [touched.values() for touched in shop.touched()]
        other = create_engine(engine.url.set(drivername=f'postgresql+{driver}'))
        with other.connect() as connection:
            row = connection.exec_driver_sql('SELECT * FROM thing').first()
        other.dispose()
    assert values == tuple(value for *_, value in VALUES)
    assert nulls == (None,) * len(VALUES)
    assert [(type(value), value) for value in row] == [(type(value), value) for value in values]
