"""Rows that foreign keys change, of which the binlog says nothing. The rule: their tables count as
changed, and no others."""

from __future__ import annotations

import pytest

from mirror.follow.mariadb.conftest import LONG, up_to

TABLES = {'shop.track': ('id',)}
ALBUM = (
    'CREATE TABLE artist (id INT PRIMARY KEY, name VARCHAR(9))',
    'CREATE TABLE album (id INT PRIMARY KEY, artist INT, name VARCHAR(9),'
    ' FOREIGN KEY (artist) REFERENCES artist (id) {artist})',
    'CREATE TABLE track (id INT PRIMARY KEY, album INT,'
    ' FOREIGN KEY (album) REFERENCES album (id) {album})',
    'INSERT INTO artist VALUES (1, NULL), (2, NULL)',
    'INSERT INTO album VALUES (10, 1, NULL), (20, 2, NULL)',
    'INSERT INTO track VALUES (100, 10), (200, 20)',
)
DELETE = 'ON DELETE CASCADE'
UPDATE = 'ON UPDATE CASCADE'
NULL = 'ON DELETE SET NULL ON UPDATE SET NULL'


@pytest.fixture
def shop(run, opened):
    """`shop(artist='ON DELETE CASCADE', album='')`: a log of tracks."""

    def shop(artist='', album=''):
        run(*(each.format(artist=artist, album=album) for each in ALBUM))
        return opened(TABLES)

    return shop


@pytest.mark.parametrize(
    ('artist', 'album', 'statement', 'whole'),
    [
        ('', DELETE, 'DELETE FROM album WHERE id = 10', True),
        ('', NULL, 'DELETE FROM album WHERE id = 10', True),
        ('', UPDATE, 'UPDATE album SET id = 11 WHERE id = 10', True),
        ('', NULL, 'UPDATE album SET id = 11 WHERE id = 10', True),
        ('', UPDATE, "UPDATE album SET name = 'x'", False),
        ('', DELETE, "UPDATE album SET name = 'x'", False),
        ('', DELETE, "INSERT INTO album VALUES (30, 1, 'x')", False),
        (DELETE, DELETE, 'DELETE FROM artist WHERE id = 1', True),
        # The rows of albums change, and no track refers to what changes there.
        (UPDATE, UPDATE, "UPDATE artist SET name = 'x'", False),
        (DELETE, UPDATE, 'DELETE FROM artist WHERE id = 3', False),
    ],
)
def test_a_cascade_to_a_followed_table(shop, run, snapshot, artist, album, statement, whole):
    log = shop(artist, album)
    run(statement)
    commits = up_to(log, snapshot)
    assert [commit.whole for commit in commits] == ([{'shop.track'}] if whole else [])


def test_the_rows_are_really_not_in_the_binlog(shop, engine, run, snapshot):
    log = shop(album=DELETE)
    run('DELETE FROM album WHERE id = 10')
    (commit,) = log.read(LONG)
    assert (commit.changes, commit.touched) == (0, {})
    with engine.connect() as connection:
        assert connection.exec_driver_sql('SELECT id FROM track').all() == [(200,)]


def test_without_checks_nothing_cascades(shop, run, snapshot):
    log = shop(album=DELETE)
    run('SET foreign_key_checks = 0', 'DELETE FROM album WHERE id = 10')
    assert up_to(log, snapshot) == []


def test_a_foreign_key_that_comes_later(shop, run, snapshot):
    log = shop()
    run('ALTER TABLE track DROP FOREIGN KEY track_ibfk_1')
    run(f'ALTER TABLE track ADD FOREIGN KEY (album) REFERENCES album (id) {DELETE}')
    up_to(log, snapshot)
    run('DELETE FROM album WHERE id = 10')
    (commit,) = log.read(LONG)
    assert commit.whole == {'shop.track'}


def test_a_parent_that_gets_another_name(shop, run, snapshot):
    log = shop(album=DELETE)
    run('RENAME TABLE album TO record')
    up_to(log, snapshot)
    run('DELETE FROM record WHERE id = 10')
    (commit,) = log.read(LONG)
    assert commit.whole == {'shop.track'}


def test_a_parent_in_another_database(run, opened):
    run('CREATE OR REPLACE DATABASE other', 'CREATE TABLE other.album (id INT PRIMARY KEY)')
    run('INSERT INTO other.album VALUES (10)')
    foreign = f'FOREIGN KEY (album) REFERENCES other.album (id) {DELETE}'
    run(f'CREATE TABLE track (id INT PRIMARY KEY, album INT, {foreign})')
    log = opened(TABLES)
    run('DELETE FROM other.album')
    (commit,) = log.read(LONG)
    assert commit.whole == {'shop.track'}
    run('DROP TABLE track', 'DROP DATABASE other')


def test_a_tree_in_one_table(run, opened):
    foreign = f'FOREIGN KEY (parent) REFERENCES tree (id) {DELETE}'
    run(f'CREATE TABLE tree (id INT PRIMARY KEY, parent INT, {foreign})')
    run('INSERT INTO tree VALUES (1, NULL), (2, 1), (3, 2)')
    log = opened({'shop.tree': ('id',)})
    run('INSERT INTO tree VALUES (4, 3)')
    run('DELETE FROM tree WHERE id = 1')
    commits = []
    while len(commits) < 2:
        commits += log.read(LONG)
    assert [(commit.touched, commit.whole) for commit in commits] == [
        ({'shop.tree': {(4,)}}, set()),
        ({}, {'shop.tree'}),
    ]
