"""``stubs`` of what modules hold beside plain models. The rule: a stub hides nothing that the
module has, and mypy accepts it in strict mode."""

from __future__ import annotations

import importlib
import sys

import pytest

pytest.importorskip('pty', reason='needs a POSIX system')

from cli.checked import problems
from cli.commands import command
from IndexedRedis.stubs import stub_of

COMMON = """
from IndexedRedis import IndexedRedisModel, IRField


class Base(IndexedRedisModel):
    FIELDS = [IRField('created')]


PAGE = 20
"""
MODULE = """
from __future__ import annotations

import functools
import sys
from collections import namedtuple
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Generic, NewType, TypeAlias, TypeVar, overload

from IndexedRedis import IndexedRedisModel, IRField
from IndexedRedis.fields import IRForeignLinkField, IRForeignMultiLinkField

from .common import *
from .common import Base

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ['Song']
__all__ += ['Box']
T = TypeVar('T')
UserId = NewType('UserId', int)
Rows: TypeAlias = list[dict[str, Any]]
Names = dict[str, int]
Handler = Callable[[int], str]
Point = namedtuple('Point', 'x y')
MOST: Final = 10
START: Final = datetime(2000, 1, 1)
low, high = 1, 2
lookup: dict[str, int] = {}
lookup['x'] = 3
stream = (each for each in ())

with suppress(ValueError):
    guarded = 5


class Box(Generic[T]):
    def __init__(self, item: T) -> None:
        self.item = item
        self.count: int = 0

    def get(self) -> T:
        return self.item


if sys.version_info >= (3, 8):

    class Artist(IndexedRedisModel):
        FIELDS = [IRField('name')]
        KEY_NAME = 'Artists'


class Song(Base):
    FIELDS = [
        *Base.FIELDS,
        *map(IRField, ['type', 'list', 'int']),
        IRField('moment', valueType=datetime),
        IRForeignLinkField('artist', Artist),
        IRForeignMultiLinkField('others', Artist),
    ]
    KEY_NAME = 'Songs'
    artists = Artist

    class Label(IndexedRedisModel):
        FIELDS = [IRField('year', valueType=int)]
        KEY_NAME = 'Labels'

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.plays: int = 0

    @overload
    def pick(self, number: int) -> int: ...
    @overload
    def pick(self, number: str) -> str: ...
    def pick(self, number: Any) -> Any:
        return number

    async def rows(self) -> AsyncIterator[int]:
        yield 1

    async def wait(self) -> int:
        return 1

    @functools.cached_property
    def slow(self) -> list[int]:
        return []

    @property
    def half(self) -> int:
        return 1

    @half.setter
    def half(self, value: int) -> None: ...


class Pending(IndexedRedisModel):
    FIELDS = None


class Cover(Pending):
    FIELDS = ['type']
    KEY_NAME = 'Covers'


@contextmanager
def opened(names: Names, handler: Handler, users: Sequence[UserId] = ()) -> Iterator[Rows]:
    yield []


Dynamic: Any = type(IndexedRedisModel)('Dynamic', (IndexedRedisModel,), {})
"""
USE = """
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, assert_type

from IndexedRedis import IRNullType
from shop.models import (
    MOST, PAGE, START, Artist, Box, Cover, Names, Song, UserId, guarded, high, low, opened
)

song = Song(any='thing')
assert_type(song.type, str | IRNullType)
assert_type(song.int, str | IRNullType)
assert_type(song.created, str | IRNullType)
assert_type(song.artist__id, int | IRNullType)
assert_type(song.others__id, list[int] | IRNullType)
assert_type(song.plays, int)
assert_type(song.pick('x'), str)
assert_type(song.rows(), AsyncIterator[int])
assert_type(song.slow, list[int])
assert_type(Song.Label(year=3).year, int | IRNullType)
assert_type(Song.artists(name='x'), Artist)
assert_type(Box(3).get(), int)
assert_type(Box(3).count, int)
assert_type(START, datetime)
assert_type((low, high, guarded), tuple[int, int, int])
song.half = 3
names: Names = {'x': MOST + PAGE}
with opened(names, str, [UserId(3)]) as rows:
    assert_type(rows, list[dict[str, Any]])
assert_type(Cover(type='x', _id=3).type, str | IRNullType)
Cover(tpye='x')  # type: ignore[call-arg]
"""


@pytest.mark.programs
def test_mypy_accepts_the_stub_and_what_uses_it(tmp_path):
    pytest.importorskip('mypy')
    package = tmp_path / 'shop'
    package.mkdir()
    for name, text in (('__init__', ''), ('common', COMMON), ('models', MODULE)):
        (package / f'{name}.py').write_text(text)
    done = command('stubs', 'shop.models', cwd=tmp_path)
    assert (done.status, done.errors) == (0, '')
    compile(done.out, 'models.pyi', 'exec')
    (package / 'models.pyi').write_text(done.out)
    (tmp_path / 'use.py').write_text(USE)
    assert problems(tmp_path, 'use.py', 'shop') == ''


@pytest.mark.skipif(sys.version_info < (3, 12), reason='needs Python 3.12')
def test_an_alias_made_by_type(tmp_path, monkeypatch):
    (tmp_path / 'aliased_models.py').write_text('type Names = list[str]')
    monkeypatch.syspath_prepend(tmp_path)
    assert 'type Names = list[str]' in stub_of(importlib.import_module('aliased_models'))
