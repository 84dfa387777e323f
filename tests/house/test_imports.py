"""What programs import. The rule: `import IndexedRedis`, which every process waits for, the first
manager, and models without partitions import only what they use."""

from __future__ import annotations

import pytest
from support.processes import run_python

# Modules that take long to import, and that most programs never need, or redis-py imports anyway
# when they connect.
LATE = {
    *('array', 'asyncio', 'base64', 'bz2', 'dataclasses', 'decimal', 'difflib', 'hashlib'),
    *('hiredis', 'inspect', 'json', 'logging', 'lzma', 'pickle', 'pkgutil', 'pprint', 'random'),
    *('redis', 'socket', 'uuid', 'zlib'),
}
# The files that choose between a plain model and one with partitions. They import the others of
# their rooms inside functions.
CHOOSING = {
    'IndexedRedis._core.partitions',
    *(f'IndexedRedis._core.partitions.{name}' for name in ('reading', 'values', 'writing')),
    'IndexedRedis._core.partitions.queries',
    'IndexedRedis._core.partitions.queries.verbs',
}
# What managers import, at the first use of one.
FOR_MANAGERS = 'managers.query', '_core.queries', '_core.writes', '_core.bulk', '_core.partitions'
MODEL = """
from IndexedRedis import IndexedRedisModel, IRField, setDefaultRedisConnectionParams
class Song(IndexedRedisModel):
    FIELDS = [IRField('title'), IRField('year', valueType=int)]
    INDEXED_FIELDS = ['title']
    KEY_NAME = 'Song'
"""
PROGRAM = """
import sys
host, port, Song.PARTITIONS = sys.argv[1], *map(int, sys.argv[2:])
setDefaultRedisConnectionParams({'host': host, 'port': port})
Song(title='Waterloo', year=1974).save()
song = Song.objects.filter(title='Waterloo').first()
song.year += 1
song.save()
song.reload()
assert Song.objects.get(song.getPk()).year == 1975
assert Song.objects.getMultiple([song.getPk()]) == Song.objects.all(cascadeFetch=True) == [song]
assert (Song.objects.count(), Song.objects.random(), Song.objects.exists()) == (1, song, True)
assert Song.objects.values('year') == [{'year': 1975}]
assert Song.objects.countBy('title') == {'Waterloo': 1}
assert Song.objects.orderBy('-pk').all() == [song]
assert Song.objects.filter(title='Waterloo').update(year=1976) == 1
assert Song.objects.reindex() == 1
Song.reset([Song(title='SOS', year=1975), Song(title='Fernando', year=1976)])
assert Song.objects.filter(title='SOS').delete() == 1
Song.deleter.destroyModel()
"""


def imported(program: str, *args: object) -> set[str]:
    """Return the modules that a program imports.

    :param args: its arguments
    """
    code = f'import sys; before = {{*sys.modules}}\n{program}\nprint(*{{*sys.modules}} - before)'
    return {*run_python(code, *args).split()}


def of_partitions(names: set[str]) -> set[str]:
    """Return the modules that deal with partitions, or choose what does."""
    rooms = tuple(f'IndexedRedis._core.{name}' for name in ('partitions', 'resets.editions'))
    return {name for name in names if name.startswith(rooms)}


def test_the_package_imports_what_models_need():
    names = imported('import IndexedRedis')
    assert 'IndexedRedis._core.mapping.schema' in names
    assert LATE & names == set(), 'import it inside the function that needs it'
    rooms = tuple(f'IndexedRedis.{each}.' for each in FOR_MANAGERS)
    assert {name for name in names if name.startswith(rooms)} == set()


def test_managers_import_what_every_program_needs():
    managers = 'IndexedRedisDelete, IndexedRedisQuery, IndexedRedisSave, resetMany'
    names = imported(f'from IndexedRedis import {managers}')
    assert {'IndexedRedis._core.bulk.save', 'IndexedRedis._core.queries.fetch'} <= names
    assert LATE & names == set(), 'import it inside the function that needs it'
    assert {name for name in names if '.partitions' in name or '.editions' in name} == CHOOSING


@pytest.mark.parametrize('partitions', [0, 6])
def test_only_models_with_partitions_import_what_deals_with_them(redis_params, partitions):
    args = redis_params['host'], redis_params['port'], partitions
    names = of_partitions(imported(MODEL + PROGRAM, *args))
    assert names >= CHOOSING
    assert (names == CHOOSING) is (partitions == 0), names - CHOOSING
