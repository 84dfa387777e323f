"""The command ``scaffold``: what it prints is a module that the command ``mirror`` runs."""

from __future__ import annotations

import sqlite3

import pytest

pytest.importorskip('pty', reason='needs a POSIX system')
pytest.importorskip('sqlalchemy')

from cli.commands import command

MODELS = """
from sqlalchemy import MetaData, Table, Column, Integer
shop = MetaData()
Table('artist', shop, Column('id', Integer, primary_key=True))
"""


@pytest.fixture
def folder(tmp_path):
    with sqlite3.connect(tmp_path / 'shop.db') as shop:
        shop.execute('CREATE TABLE artist (id INTEGER PRIMARY KEY, name TEXT)')
        shop.execute('CREATE TABLE album (id INTEGER PRIMARY KEY, artist_id INT REFERENCES artist)')
        shop.execute("INSERT INTO artist VALUES (1, 'Björk')")
        shop.execute('INSERT INTO album VALUES (7, 1)')
    shop.close()
    (tmp_path / 'shop_models.py').write_text(MODELS)
    return tmp_path


def test_its_output_is_mirrored(folder, url, raw):
    done = command('scaffold', 'sqlite:///shop.db', cwd=folder)
    assert (done.status, done.errors) == (0, '')
    (folder / 'shop_mirror.py').write_bytes(done.raw)
    done = command('mirror', 'shop_mirror:mirror', '--url', url, cwd=folder)
    assert done.status == 0, done.errors
    assert raw.hget('_ir_|Artist:data:1', 'name') == 'Björk'.encode()


def test_tables_and_the_variable(folder):
    env = {'DATABASE_URL': 'sqlite:///shop.db'}
    done = command('scaffold', '--table', 'album', cwd=folder, env=env)
    assert done.status == 0
    assert 'class Album(' in done.out
    assert 'class Artist(' not in done.out


def test_models(folder):
    done = command('scaffold', '--sqlalchemy', 'shop_models:shop', cwd=folder)
    assert done.status == 0
    assert "Artist: shop.tables['artist']," in done.out


@pytest.mark.parametrize(
    ('arguments', 'problem'),
    [
        ([], 'Give the URL of a database'),
        (['nosuch://me:secret@host/shop'], "no dialect 'nosuch'"),
        (['sqlite:///shop.db', '--table', 'albums'], "There is no table 'albums'"),
        (['--sqlalchemy', 'shop_models:MODELS'], "has no 'MODELS'"),
    ],
)
def test_what_fails(folder, arguments, problem):
    done = command('scaffold', *arguments, cwd=folder)
    assert (done.status, done.out) == (2, '')
    assert problem in done.errors
    assert 'secret' not in done.errors
