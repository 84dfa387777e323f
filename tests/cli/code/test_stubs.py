"""``stubs``: what it writes is what type checkers need."""

from __future__ import annotations

import sys

import pytest

pytest.importorskip('pty', reason='needs a POSIX system')

from cli.checked import problems
from cli.commands import command
from IndexedRedis import UsageError
from IndexedRedis.stubs import stub_of

MODULE = '''
from __future__ import annotations

import datetime
import enum
from decimal import Decimal

from IndexedRedis import IndexedRedisModel, IRField
from IndexedRedis.fields import (
    IRDatetimeField,
    IRDecimalField,
    IREnumField,
    IRForeignLinkField,
    IRForeignMultiLinkField,
)

LIMIT = 5
EPOCH = datetime.date(1970, 1, 1)


class Color(enum.Enum):
    RED = 'red'
    BLUE = enum.auto()


class Artist(IndexedRedisModel):
    FIELDS = [IRField('name')]
    KEY_NAME = 'Artists'


class Song(IndexedRedisModel):
    FIELDS = [
        IRField('title'),
        IRField('year', valueType=int, nullable=False),
        IRDecimalField('price', decimalPlaces=2),
        IRField('day', valueType=datetime.date),
        IRField('extra', valueType=dict),
        IREnumField('color', Color),
        IRDatetimeField('moment', nullable=False),
        IRForeignLinkField('artist', Artist),
        IRForeignMultiLinkField('similar', 'Song'),
    ]
    INDEXED_FIELDS = ['title']
    KEY_NAME = 'Songs'
    stars = {'max': 5}

    def shout(self, times: int = 3, *, end: str = '!') -> str:
        """Say it louder."""
        return self.title.upper() * times + end

    @property
    def age(self) -> int:
        return 2026 - self.year


class Typed(IndexedRedisModel):
    KEY_NAME = 'Typed'

    name: IRField[str] = IRField(indexed=True)


def newest(count: int = 10) -> list[Song]:
    return Song.objects.all()[:count]


try:
    import json
except ImportError:
    json = None
'''
USE = """
import datetime
from decimal import Decimal
from typing import Any, assert_type

from IndexedRedis import IRNullType, IRQueryableList
from shop_models import EPOCH, LIMIT, Artist, Color, Song, Typed, newest

song = Song(title='x', year=1980, artist=1, similar=[1, song_of()], color=None, _id=3)
assert_type(song.title, str | IRNullType)
assert_type(song.year, int)
assert_type(song.price, Decimal | IRNullType)
assert_type(song.day, datetime.date | IRNullType)
assert_type(song.extra, Any | IRNullType)
assert_type(song.color, Color | IRNullType)
assert_type(song.moment, datetime.datetime)
assert_type(song.artist, Artist | IRNullType | None)
assert_type(song.artist__id, int | IRNullType)
assert_type(song.similar, list[Song | None] | IRNullType)
assert_type(song.similar__id, list[int] | IRNullType)
assert_type(song.shout(), str)
assert_type(song.age, int)
assert_type(Song.objects.all(), IRQueryableList[Song])
assert_type(Typed(name='x').name, str | IRNullType)
assert_type(EPOCH, datetime.date)
assert_type(LIMIT, int)
assert_type(newest(), list[Song])
Song(titel='x')  # type: ignore[call-arg]
song.year = None  # type: ignore[assignment]
""".replace('song_of()', "Song(title='y')")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / 'shop_models.py').write_text(MODULE)
    return tmp_path


@pytest.fixture
def written(folder):
    done = command('stubs', 'shop_models', cwd=folder)
    assert (done.status, done.errors) == (0, '')
    return done.out


@pytest.mark.programs
def test_type_checkers_take_it(folder, written):
    pytest.importorskip('mypy')
    (folder / 'shop_models.pyi').write_text(written)
    (folder / 'use.py').write_text(USE)
    assert problems(folder, 'use.py', 'shop_models.pyi') == ''


@pytest.mark.programs
def test_it_can_be_read_by_python(written):
    assert 'def shout(self, times: int=..., *, end: str=...) -> str' in written
    assert 'year: _IndexedRedis_fields.IRField[int, _typing.Never, _typing.Never]' in written
    assert 'louder' not in written
    compile(written, 'shop_models.pyi', 'exec')


ODD = """
from IndexedRedis import IndexedRedisModel, IRField

class Plain(IndexedRedisModel):
    FIELDS = ['artist', 'title']
    KEY_NAME = 'Plain'

class Mail(IndexedRedisModel):
    FIELDS = [IRField('from'), IRField('reply to'), IRField('subject')]
    KEY_NAME = 'Mail'
"""


@pytest.mark.programs
def test_plain_texts_and_names_that_are_no_identifiers(tmp_path):
    (tmp_path / 'odd_models.py').write_text(ODD)
    done = command('stubs', 'odd_models', cwd=tmp_path)
    assert (done.status, done.errors) == (0, '')
    written = done.out
    assert 'artist: _IndexedRedis_fields.IRClassicField' in written
    assert 'subject: _IndexedRedis_fields.IRField[str]' in written
    assert 'subject: str | _IndexedRedis_fields.IRNullType | None=..., **others: ' in written
    assert written.count('**others') == 1 and 'from:' not in written
    compile(written, 'odd_models.pyi', 'exec')


def test_a_module_without_source():
    with pytest.raises(UsageError, match='sys has no source in Python'):
        stub_of(sys)
