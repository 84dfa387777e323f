"""Writes `recorded.py`: the messages that a real server sends for a small scenario.

python -m mirror.follow.postgres.record  # in the folder tests
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from IndexedRedis.testing.databases import Database, fresh
from mirror.follow.postgres.conftest import SETTINGS
from mirror.follow.postgres.shop import Shop

SCHEMA = """
    CREATE DOMAIN code AS int;
    CREATE TABLE artist (id code PRIMARY KEY, name text);
    CREATE TABLE album (id int PRIMARY KEY, cover text);
    ALTER TABLE album REPLICA IDENTITY FULL;
    ALTER TABLE album ALTER cover SET STORAGE EXTERNAL;
"""
TABLES = {'public.artist': ('id',), 'public.album': ('id',)}
MANY = 'INSERT INTO artist SELECT generate_series({}, {})'
# What is done in one transaction, by the name of its messages. A value of 2,100 times the same
# letter is short in the file, and of many rows that are streamed in a row the first is there.
STEPS = {
    'INSERT': ["INSERT INTO artist VALUES (1, 'Björk')", 'INSERT INTO artist VALUES (2)'],
    'UPDATE': ["UPDATE artist SET name = 'B' WHERE id = 1"],
    'UPDATE_KEY': ['UPDATE artist SET id = 3 WHERE id = 1'],
    'UPDATE_LARGE': [
        "INSERT INTO album VALUES (1, repeat('x', 2100))",
        'UPDATE album SET id = 2',
    ],
    'DELETE': ['DELETE FROM artist WHERE id = 3', 'DELETE FROM album'],
    'TRUNCATE': ['TRUNCATE artist, album'],
    'ALTER': [
        'ALTER TABLE artist ADD born date',
        "INSERT INTO artist VALUES (4, 'D', '1965-11-21')",
    ],
    'STREAMED': [MANY.format(1001, 1600), 'TRUNCATE album'],
    'STREAMED_SAVEPOINT': [
        MANY.format(2001, 2600),
        'SAVEPOINT s',
        MANY.format(3001, 3600),
        'ROLLBACK TO s',
        'DELETE FROM artist WHERE id = 2600',
    ],
    'STREAMED_ROLLBACK': [MANY.format(4001, 4600), 'ROLLBACK'],
    'ORIGIN': [
        "SELECT pg_replication_origin_create('north')",
        "SELECT pg_replication_origin_session_setup('north')",
        "SELECT pg_replication_origin_xact_setup('0/1', '2020-01-01')",
        'INSERT INTO artist VALUES (5)',
    ],
}
HEAD = '''"""Messages of PostgreSQL {version}, by what was done. Written by `record.py`."""

# fmt: off
# ruff: noqa
'''


def messages(shop):
    """The messages up to a snapshot that begins now."""
    arrived = []
    decode = shop.log._decoder.decode
    shop.log._decoder.decode = lambda data: arrived.append(data) or decode(data)
    shop.commits()
    shop.log._decoder.decode = decode
    return arrived


def shown(name, arrived):
    kept = arrived[:1]
    for before, after in pairwise(arrived):
        if not (name.startswith('STREAMED') and before[:1] == after[:1] == b'I'):
            kept.append(after)
    listed = ''.join(f'    {data!r},\n' for data in kept)
    for long, short in [('x' * 2100, "' + b'x' * 2100 + b'"), (" + b''", '')]:
        listed = listed.replace(long, short)
    return f'{name} = [\n{listed}]\n'


def main():
    with (
        Database('postgresql', SETTINGS) as database,
        Shop(fresh(database, 'shop'), TABLES, SCHEMA) as shop,
    ):
        parts = [HEAD.format(version=shop.ask('SHOW server_version').split()[0])]
        for name, statements in STEPS.items():
            shop.run(*statements)
            parts.append(shown(name, messages(shop)))
        shop.engine.dispose()
    Path(__file__).with_name('recorded.py').write_text('\n'.join(parts), 'utf-8')


if __name__ == '__main__':
    main()
