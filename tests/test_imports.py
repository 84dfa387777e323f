"""What programs import. The rule: `import IndexedRedis`, which every process waits for, and models
without partitions import only what they use."""

from __future__ import annotations

import pytest
from processes import run_python

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
PROGRAM = """
    import sys
    from IndexedRedis import IndexedRedisModel, IRField, setDefaultRedisConnectionParams
    host, port, partitions = sys.argv[1:]
    setDefaultRedisConnectionParams({'host': host, 'port': int(port)})
    class Song(IndexedRedisModel):
        FIELDS = [IRField('title'), IRField('year', valueType=int)]
        INDEXED_FIELDS = ['title']
        KEY_NAME = 'Song'
        PARTITIONS = int(partitions)
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
    rooms = tuple(f'IndexedRedis._core.{name}' for name in ('partitions', 'resets.editions'))
    print(*(name for name in sys.modules if name.startswith(rooms)))
"""


def test_the_package_imports_what_every_program_needs():
    printed = run_python("""
        import sys
        before = set(sys.modules)
        import IndexedRedis
        print(*set(sys.modules) - before)
    """)
    imported = {*printed.split()}
    assert 'IndexedRedis._core.bulk.save' in imported
    assert LATE & imported == set(), 'import it inside the function that needs it'
    assert {name for name in imported if '.partitions' in name or '.editions' in name} == CHOOSING


@pytest.mark.parametrize('partitions', [0, 6])
def test_only_models_with_partitions_import_what_deals_with_them(redis_params, partitions):
    printed = run_python(PROGRAM, redis_params['host'], redis_params['port'], partitions)
    imported = {*printed.split()}
    assert imported >= CHOOSING
    assert (imported == CHOOSING) is (partitions == 0), imported - CHOOSING
