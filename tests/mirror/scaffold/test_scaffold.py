"""What ``scaffold`` writes for a schema. The rule: it runs as it is, and says what it chose."""

from __future__ import annotations

import inspect
import re
import sys

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, mapped_column

from IndexedRedis import UsageError
from IndexedRedis.mirror import Mirror
from IndexedRedis.mirror.scaffold import scaffold_database, scaffold_models
from mirror.conftest import server
from mirror.written import imported

needs_links = pytest.mark.skipif(
    'links' not in inspect.signature(Mirror).parameters, reason='the mirror has no join tables'
)

CATALOGUE = """
CREATE TABLE artist (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
CREATE TABLE album (
    id INTEGER PRIMARY KEY,
    artist_id INTEGER NOT NULL REFERENCES artist,
    title TEXT,
    price NUMERIC(6, 2),
    "from" DATE,
    live TINYINT
);
CREATE INDEX by_title ON album (title);
INSERT INTO artist VALUES (1, 'Björk');
INSERT INTO album VALUES (7, 1, 'Post', 9.5, '1995-06-13', 0)
"""
WRITTEN = '''"""Models and mirror of sqlite:///shop.db.

``indexedredis scaffold`` wrote this module from the schema. Comments say what it chose. Change the
module as you like, then run ``indexedredis mirror shop_mirror:mirror --dry-run``.
"""

from __future__ import annotations

import datetime
import os

from IndexedRedis import IndexedRedisModel, IRField
from IndexedRedis.fields import IRDecimalField, IRForeignLinkField
from IndexedRedis.mirror import Mirror


class Artist(IndexedRedisModel):
    KEY_NAME = 'Artist'

    id: IRField[int] = IRField(valueType=int, indexed=True)
    name: IRField[str] = IRField(indexed=True)


class Album(IndexedRedisModel):
    KEY_NAME = 'Album'

    id: IRField[int] = IRField(valueType=int, indexed=True)
    artist: IRForeignLinkField[Artist] = IRForeignLinkField(Artist, indexed=True)
    title: IRField[str] = IRField(indexed=True)
    price: IRDecimalField = IRDecimalField(decimalPlaces=2)
    from_: IRField[datetime.date] = IRField(valueType=datetime.date)
    live: IRField[int] = IRField(valueType=int)


mirror = Mirror(
    os.environ.get('DATABASE_URL', 'sqlite:///shop.db'),
    {
        Artist: 'SELECT id, name FROM artist',
        Album: """
            SELECT id, artist_id, title, CAST(price AS TEXT) AS price, "from", live
            FROM album
        """,
    },
    columns={
        Album: {'artist_id': 'artist', 'from': 'from_'},
    },
    keys={
        Artist: 'id',
        Album: 'id',
    },
)
'''


def indexed_in(text):
    """The names of the indexed fields, in the order in which a module has them."""
    return re.findall(r'^    (\w+): .*indexed=True\)$', text, re.MULTILINE)


@pytest.fixture
def written(lite, monkeypatch):
    """`written('CREATE TABLE ...', ['table'])`: what is written for a schema in SQLite."""
    monkeypatch.delenv('DATABASE_URL', raising=False)

    def write(schema, tables=()):
        with lite.begin() as connection:
            for statement in schema.split(';'):
                connection.exec_driver_sql(statement)
        return scaffold_database(lite, tables)

    return write


def test_a_small_schema(tmp_path, monkeypatch, watch_models):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv('DATABASE_URL', raising=False)
    engine = sa.create_engine('sqlite:///shop.db')
    with engine.begin() as connection:
        for statement in CATALOGUE.split(';'):
            connection.exec_driver_sql(statement)
    engine.dispose()
    text = scaffold_database('sqlite:///shop.db')
    assert text == WRITTEN
    module = imported(text)
    watch_models(module.Artist, module.Album)
    module.mirror.run()
    album = module.Album.objects.filter(title='Post').first()
    assert (album.artist.name, str(album.price), album.from_.year) == ('Björk', '9.50', 1995)


def test_a_circle_is_cut_where_null_may_be(written):
    text = written(
        'CREATE TABLE team (id INTEGER PRIMARY KEY, captain_id INT REFERENCES player);'
        'CREATE TABLE player (id INTEGER PRIMARY KEY, team_id INT NOT NULL REFERENCES team)'
    )
    note = '# captain_id refers to player, as a plain value: a link to player would close a circle'
    captain = 'captain_id: IRField[int] = IRField(valueType=int, indexed=True)'
    assert f'{note}\n    {captain}\n' in text
    assert 'team: IRForeignLinkField[Team] = IRForeignLinkField(Team, indexed=True)' in text
    imported(text)


def test_foreign_keys_that_cannot_be_links(written):
    schema = (
        'CREATE TABLE land (id INTEGER PRIMARY KEY, code TEXT UNIQUE);'
        'CREATE TABLE city (id INTEGER PRIMARY KEY, land TEXT REFERENCES land (code), '
        'mayor_id INT REFERENCES person);'
        'CREATE TABLE person (id INTEGER PRIMARY KEY)'
    )
    text = written(schema, ['land', 'city'])
    assert '# land refers to land, as a plain value: code is not the key of land' in text
    assert '# mayor_id refers to person, as a plain value: person has no model' in text
    imported(text)


def test_a_table_links_to_itself(written, watch_models):
    text = written(
        'CREATE TABLE employee (id INTEGER PRIMARY KEY, bossId INT REFERENCES employee);'
        'INSERT INTO employee VALUES (1, NULL), (2, 1)'
    )
    module = imported(text)
    watch_models(module.Employee)
    module.mirror.run()
    assert module.Employee.objects.filter(id=2).first().boss.id == 1


def test_names(written, watch_models):
    text = written(
        'CREATE TABLE "2-größe" (id INTEGER PRIMARY KEY, class TEXT, "save" TEXT, "a b" TEXT, '
        '"a-b" TEXT, "_id" TEXT, x__ne TEXT, "été" TEXT, "3d" TEXT);'
        """INSERT INTO "2-größe" VALUES (1, 'c', 's', 'ab', 'a-b', '_', 'n', 'e', '3');"""
        'CREATE TABLE mirror (id INTEGER PRIMARY KEY);'
        'CREATE TABLE none (id INTEGER PRIMARY KEY);'
        'CREATE TABLE "Mirror Model" (id INTEGER PRIMARY KEY)'
    )
    module = imported(text)
    assert module.models.keys() == {'T2Größe', 'MirrorModel', 'MirrorModel2', 'NoneModel'}
    watch_models(*module.models.values())
    module.mirror.run()
    obj = module.models['T2Größe'].objects.first()
    values = (obj.class_, obj.save_, obj.a_b, obj.a_b2, obj._id_, obj.x__ne_, obj.ete, obj.c_3d)
    assert values == ('c', 's', 'ab', 'a-b', '_', 'n', 'e', '3')


def test_keys(written, watch_models):
    text = written(
        'CREATE TABLE log (at INT, text TEXT);'
        'CREATE TABLE code (code TEXT NOT NULL, name TEXT UNIQUE, UNIQUE (code));'
        'CREATE VIEW codes AS SELECT code FROM code',
        ['log', 'code', 'codes'],
    )
    assert "    keys={\n        Code: 'code',\n    }," in text
    assert "# no key: Log, Codes. Links cannot lead there, and mode='diff' needs one." in text
    module = imported(text)
    watch_models(*module.models.values())
    assert '    allowEmpty=[Log, Code, Codes],' in text
    module.mirror.run()
    assert module.Log.objects.count() == 0


def test_indexes_that_do_not_identify_rows(written):
    """Nor does SQLAlchemy's warning about the last one reach the user."""
    text = written(
        'CREATE TABLE code (code TEXT NOT NULL, name TEXT NOT NULL, kind TEXT, UNIQUE (kind));'
        "CREATE UNIQUE INDEX partial ON code (code) WHERE kind = 'a';"
        'CREATE UNIQUE INDEX expressed ON code (lower(name))'
    )
    assert indexed_in(text) == ['code', 'kind']
    assert '# no key: Code.' in text


@pytest.mark.parametrize('kind', [server('postgresql'), server('mariadb')])
def test_tables_of_a_schema(kind, empty_database, monkeypatch, watch_models):
    monkeypatch.delenv('DATABASE_URL', raising=False)
    engine = empty_database(kind)
    with engine.begin() as connection:
        cascade = ' CASCADE' if kind == 'postgresql' else ''
        for statement in (
            f'DROP SCHEMA IF EXISTS sales{cascade}',
            'CREATE SCHEMA sales',
            'CREATE TABLE sales.artist (id INT PRIMARY KEY, name VARCHAR(20))',
            'CREATE TABLE sales.album (id INT PRIMARY KEY, artist_id INT NOT NULL, '
            'FOREIGN KEY (artist_id) REFERENCES sales.artist (id))',
            "INSERT INTO sales.artist VALUES (1, 'Abba')",
            'INSERT INTO sales.album VALUES (7, 1)',
        ):
            connection.exec_driver_sql(statement)
    module = imported(scaffold_database(engine, ['sales.album', 'sales.artist']))
    watch_models(*module.models.values())
    module.mirror.run()
    assert module.Album.objects.filter(id=7).first().artist.name == 'Abba'


def test_what_is_no_join_table(written):
    text = written(
        'CREATE TABLE person (id INTEGER PRIMARY KEY);'
        'CREATE TABLE friend (one INT NOT NULL REFERENCES person, other INT NOT NULL REFERENCES '
        'person, PRIMARY KEY (one, other));'
        'CREATE TABLE club (id INTEGER PRIMARY KEY, head_id INT NOT NULL REFERENCES person);'
        'CREATE TABLE member (person_id INT NOT NULL REFERENCES person, club_id INT NOT NULL '
        'REFERENCES club, since DATE, PRIMARY KEY (person_id, club_id))'
    )
    assert 'class Friend(' in text
    assert "Member: ('person', 'club')" in text
    assert 'links=' not in text


TAGS = """
CREATE TABLE tag (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE post (id INTEGER PRIMARY KEY, best_id INT NOT NULL REFERENCES tag);
CREATE TABLE post_tag (tag_id INT NOT NULL REFERENCES tag, post_id INT NOT NULL REFERENCES post);
INSERT INTO tag VALUES (1, 'a'), (2, 'b');
INSERT INTO post VALUES (1, 2);
INSERT INTO post_tag VALUES (1, 1), (2, 1)
"""


@needs_links
def test_a_join_table_feeds_a_link_that_closes_no_circle(written, watch_models):
    module = imported(written(TAGS))
    watch_models(module.Tag, module.Post)
    module.mirror.run()
    assert [tag.name for tag in module.Post.objects.first().tags] == ['a', 'b']


def test_the_direction_of_a_join_table(written):
    text = written(TAGS)
    assert "(Post, 'tags'): 'SELECT post_id, tag_id FROM post_tag'" in text
    assert '# from the table post_tag\n    tags: IRForeignMultiLinkField[Tag] = ' in text


def test_a_wrong_table(written):
    with pytest.raises(UsageError, match=r"no table 'artists'.*'artist'"):
        written(CATALOGUE, ['artists'])


def test_an_empty_database(lite):
    with pytest.raises(UsageError, match='has no tables'):
        scaffold_database(lite)


class Base(DeclarativeBase):
    """Models of an application."""


class Cents(sa.TypeDecorator):
    """A type of the application's own."""

    impl = sa.Integer
    cache_ok = True


class Artist(Base):
    __tablename__ = 'artist'
    id = mapped_column(sa.Integer, primary_key=True)
    name = mapped_column(sa.String(20), index=True)
    price = mapped_column(sa.Numeric(10, 2))
    fee = mapped_column(Cents)
    seen = mapped_column(sa.DateTime(timezone=True))
    data = mapped_column(sa.JSON)
    mood = mapped_column(sa.Enum('sad', 'happy', name='mood'))


class Album(Base):
    __tablename__ = 'album'
    id = mapped_column(sa.Integer, primary_key=True)
    artist_id = mapped_column(sa.ForeignKey('artist.id'), nullable=False)


def test_models_of_sqlalchemy(lite, watch_models):
    Base.metadata.create_all(lite)
    row = {'id': 1, 'name': 'Björk', 'price': '1.5', 'data': {'a': None}, 'mood': 'sad', 'fee': 3}
    with lite.begin() as connection:
        connection.execute(sa.insert(Artist), row)
        connection.execute(sa.insert(Album), {'id': 1, 'artist_id': 1})
    text = scaffold_models(f'{__name__}:Base', sys.modules[__name__].Base, str(lite.url))
    assert f'from {__name__} import Base\n' in text
    assert "Album: Base.metadata.tables['album']," in text
    assert '# fee: left out: no field is known for Cents()' in text
    assert "Artist: {'fee': None}" in text
    module = imported(text)
    watch_models(*module.models.values())
    module.mirror.run()
    artist = module.Album.objects.first().artist
    assert (artist.name, str(artist.price), artist.data, artist.mood) == (
        *('Björk', '1.50', {'a': None}, 'sad'),
    )
    assert module.Artist._validated().indexed_names == ('id', 'name')


def test_some_tables_of_a_metadata():
    text = scaffold_models('shop:meta', Base.metadata, tables=['artist'])
    assert "Artist: meta.tables['artist']," in text
    assert "os.environ['DATABASE_URL']," in text
    for named, tables in ((Base.metadata, ['artists']), (sa.MetaData(), []), (5, [])):
        with pytest.raises(UsageError):
            scaffold_models('shop:meta', named, tables=tables)


def test_passwords_are_not_written():
    url = 'postgresql+psycopg://me:secret@host/shop?sslpassword=secret&application_name=x'
    text = scaffold_models('shop:Base', Base, url)
    assert 'secret' not in text
    shown = 'postgresql+psycopg://me@host/shop?application_name=x'
    assert f"os.environ.get('DATABASE_URL', '{shown}')" in text
    assert '# set DATABASE_URL: the password is not here' in text


def test_columns_and_tables_named_like_what_the_module_uses(written):
    text = written(
        'CREATE TABLE "any" (id INTEGER PRIMARY KEY, "IRField" TEXT, __x INT, extra JSON,'
        ' "IRDatetimeField" TEXT, moment DATETIME)'
    )
    model = imported(text).AnyModel
    model.validateModel()
    names = ['id', 'IRField_', 'c__x', 'extra', 'IRDatetimeField_', 'moment']
    assert [field.name for field in model.FIELDS] == names
