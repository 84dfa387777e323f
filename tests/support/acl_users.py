"""What each kind of Redis user does with a model of few objects or many, sound or damaged. The
rule: a user does everything that the security page says of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any, NamedTuple
from unittest.mock import patch

from judge import damages
from mirror.follow.sqlite_log import Logs
from redis.exceptions import NoPermissionError
from sqlalchemy import Column, MetaData, String, Table, create_engine
from sqlalchemy.pool import StaticPool

import IndexedRedis as IR
from IndexedRedis import IndexedRedisModel, IRField
from IndexedRedis._core.bulk import insert, redo, steps
from IndexedRedis._core.queries import set_algebra
from IndexedRedis._core.queries.sources import one
from IndexedRedis._core.resets import index_fill
from IndexedRedis._core.writes import sizes
from IndexedRedis.cli.walk import Walk
from IndexedRedis.fields import IRForeignMultiLinkField
from IndexedRedis.mirror import Mirror
from IndexedRedis.mirror.follow import setup

SIZE = 150
# From here on lists go in steps, swaps move index sets, and reads do not take one script.
LIMITS = {
    **{(sizes, 'SCRIPT_US'): 400, (sizes, 'STEP_US'): 100, (index_fill, 'MOST'): 50},
    **{(one, 'PICK_MEMBERS'): 50, (set_algebra, 'UNSETTLED_MEMBERS'): 50},
}


class Song(IndexedRedisModel):
    """The model of the page, with the fields that `damages` damages, and links to itself."""

    FIELDS = [
        IRField('title'),
        IRField('artist'),
        IRField('year', valueType=int),
        IRField('album', hashIndex=True),
        IRForeignMultiLinkField('covers', 'Song'),
    ]
    INDEXED_FIELDS = ['title', 'artist', 'year', 'album']
    SORTED_FIELDS = ['title', 'year']
    KEY_NAME = 'Song'


class Scene(NamedTuple):
    """What is stored by somebody who may do everything, and what the user then does.

    `prepare` gets the model and a plain client, `act` the model.
    """

    prepare: Callable[[Any, Any], Any]
    act: Callable[[Any], Any]


def songs(model: Any, count: int, artist: str = 'Abba') -> list[Any]:
    """New objects."""
    return [model(title=str(n), artist=artist, year=1974, album='x') for n in range(count)]


def store(count: int) -> Callable[[Any, Any], None]:
    """Store so many objects, the first of which link to each other."""

    def prepare(model: Any, _: Any) -> None:
        model.reset(songs(model, count))
        first, second, *_ = model.objects.allByAge()
        first.covers = [second]
        first.save()

    return prepare


# -- reader ------------------------------------------------------------------------------------


def read(model: Any) -> None:
    """Every way to read."""
    everything, found = model.objects, model.objects.filter(artist='Abba', title__ne='1')
    size = everything.count()
    assert found.count() == len(found.all()) == size - 1
    assert len(everything.all(cascadeFetch=True)) == len(everything.allByAge()) == size
    assert len(everything.allOnlyFields(['title'])) == size
    assert len(everything.allOnlyIndexedFields()) == size
    assert len(everything.filter(artist__ne='Abba').getPrimaryKeys()) == 0
    assert len(everything.filter(artist='Abba', title='1').all()) == 1
    for query in (everything, found):
        obj = query.first(cascadeFetch=True)
        assert obj.artist == query.last().artist == query.random().artist == 'Abba'
    assert everything.exists(obj.getPk())
    assert everything.get(obj.getPk()).reload() == {}
    obj.cascadeFetch()
    assert len(everything.getMultiple([obj.getPk(), 10**9])) == 2
    assert everything.getOnlyFields(obj.getPk(), ['title']).title == '0'
    assert everything.getOnlyIndexedFields(obj.getPk()).title == '0'
    assert len(everything.getMultipleOnlyFields([obj.getPk()], ['title'])) == 1
    assert len(everything.getMultipleOnlyIndexedFields([obj.getPk()])) == 1
    read_verbs(model, size)
    read_in_order(model, size)
    listed = everything.filter(year=1974).all()
    listed.reload()
    assert len(listed.refetch()) == size
    assert everything.mirroredAt() is None
    assert found.explain(analyze=True)
    assert sum(map(len, Walk(model).pages())) == size  # as `indexedredis export` does


def read_verbs(model: Any, size: int) -> None:
    """Values, counts by value, chunks."""
    everything, found = model.objects, model.objects.filter(artist='Abba', title__ne='1')
    assert len(everything.filter(title__in=['0', '1']).all()) == min(size, 2)
    assert everything.exists() and found.exists() and everything.get(title='0')
    assert len(everything.values()) == len(everything.valuesList('pk')) == size
    assert len([*everything.only('title').iterator(100)]) == size
    assert everything.countBy('artist') == {'Abba': size}
    assert found.countBy('title')['0'] == 1
    assert everything.distinctValues('artist') == ['Abba']
    assert len(everything.inBulk([everything.first().getPk()])) == 1
    assert everything.replica().count() == size
    with suppress(NoPermissionError):  # an optional right
        assert everything.readToken()


def read_in_order(model: Any, size: int) -> None:
    """Ranges, orders and pages: by walks, by scores and by values."""
    everything = model.objects
    assert everything.filter(year__gte=1974).count() == everything.filter(year__lt=1975).count()
    assert len(everything.filter(IR.Q(year__gt=1970) | IR.Q(title='0')).all()) == size
    pks = everything.filter(pk__in=[everything.first().getPk()])
    for ordered in (everything.orderBy('-year', 'title'), everything.orderBy('album'), pks):
        page = ordered.page(size=9, totalUpTo=500)
        assert page.objects[0].artist == ordered[0].artist
    assert len(everything.filter(artist='Abba').orderBy('title')[:5].all()) == 5
    assert len(pks.orderBy('year').all()) == 1


# -- writer ------------------------------------------------------------------------------------


def write(model: Any) -> None:
    """Every way to write."""
    one = model(title='x', artist='y')
    one.save()
    one.title = 'z'
    one.save()
    one.saveToExternal(IR.getDefaultRedisConnectionParams())
    one.copy(copyPrimaryKey=True).save()
    model.saver.reindex([one])
    one.delete()
    pair = model.saver.saveMultiple([model(title='many'), model(title='more')])
    model.deleter.deleteByPk(pair[0])
    assert model.objects.filter(title='more').delete() == 1
    some = model.objects.getMultiple(model.saver.save(songs(model, 9)))
    for obj in some:
        obj.artist = 'Queen'
    some.save()
    model.deleter.deleteOne(some[0])
    model.deleter.deleteMultipleByPks([some[1].getPk()])
    some[2:].delete()
    model.objects.reindex()
    model.objects.compat_convertHashedIndexes()
    model.saver.compat_convertHashedIndexes(model.objects.all()[:2])
    assert model.objects.update(artist='Abba', album='y') == model.objects.count()
    assert model.objects.getOrCreate(title='only', defaults={'year': 1974})[1]
    assert not model.objects.updateOrCreate(title='only', defaults={'album': 'z'})[1]
    model.objects.create(title='last')
    write_long_lists(model)
    replace(model)
    store(150)(model, None)
    read(model)


def write_long_lists(model: Any) -> None:
    """Lists that one script would write for too long."""
    many = songs(model, SIZE, 'long')
    model.saver.save(many)
    for each in many:
        each.artist = 'longer'
    model.saver.save(many)
    model.deleter.deleteMultiple(many)


def replace(model: Any) -> None:
    """Every way to replace the data set."""
    model(title='replaced', artist='x').save()
    model.reset(songs(model, SIZE))
    model.saver.save(model(title='again'), forceID=4)  # over the row that is about to expire
    model.deleter.deleteByPk(4)
    model.objects.reset(songs(model, SIZE))  # index sets of so many are moved
    IR.resetMany([(model, songs(model, 150))])
    same = [model(title=str(n), artist='Abba', year=1974, album='x') for n in range(1, 150)]
    IR.resetChanged({model: [*same, model(title='0', artist='Queen')]}, {model: 'title'})
    model.reset(model.objects.all())


def killed_after_the_commit(work: Callable[[Any], Any]) -> Callable[[Any, Any], None]:
    """Prepare what a process leaves that was killed in the middle of writing a long list."""

    class Killed(BaseException):
        pass

    def commit_only(*args: Any) -> Iterator[Any]:
        yield from redo.commit(*args)
        raise Killed

    def nothing(*_: Any) -> Iterator[Any]:
        yield from ()

    def prepare(model: Any, _: Any) -> None:
        model.reset(songs(model, SIZE))
        with (
            patch.object(steps, 'commit', commit_only),
            patch.object(steps, 'settle', nothing),
            suppress(Killed),
        ):
            work(model)
        assert model.objects.check().counts == {'leftover': 1}

    return prepare


def insert_many(model: Any) -> None:
    with patch.object(insert, 'PUBLISHED_AT_ONCE', 2):
        model.saver.save(songs(model, SIZE))


def update_all(model: Any) -> None:
    objs = model.objects.all()
    for obj in objs:
        obj.artist = 'Queen'
    model.saver.save(objs)


def delete_all(model: Any) -> None:
    model.deleter.deleteMultiple(model.objects.all())


def replace_one(model: Any) -> None:
    """Any write that recovers what others left."""
    model.reset(songs(model, 1))


LEFT = [killed_after_the_commit(work) for work in (insert_many, update_all, delete_all)]


def damage(name: str) -> Callable[[Any, Any], None]:
    """Store three songs, and damage them."""

    def prepare(model: Any, admin: Any) -> None:
        damages.fill(model)
        damages.REPAIRABLE[name].do(admin, '_ir_|Song:')

    return prepare


# -- mirror, checker, keeper -------------------------------------------------------------------


def mirror(model: Any, size: int = 10) -> None:
    """Mirror all, then what differs, then nothing."""
    engine = create_engine('sqlite://', poolclass=StaticPool)
    with engine.begin() as connection:
        connection.exec_driver_sql('CREATE TABLE song (title TEXT PRIMARY KEY, artist TEXT)')
        rows = [(str(n), 'Abba') for n in range(size)]
        connection.exec_driver_sql('INSERT INTO song VALUES (?, ?)', rows)
    selects, rest = {model: 'SELECT title, artist FROM song'}, {model: ['year', 'album', 'covers']}
    job = Mirror(engine, selects, keys={model: 'title'}, defaults=rest, maxDrop=None)
    job.run()
    job.run()
    for artist in ('Queen', 'Abba'):
        with engine.begin() as connection:
            change = f"UPDATE song SET artist = '{artist}' WHERE title IN ('1', '2')"
            connection.exec_driver_sql(change)
        job.run(mode='diff')
    job.run(dryRun=True)
    assert model.objects.mirroredAt() is not None
    engine.dispose()


def follow(model: Any) -> None:
    """Follow a log: a first load, a few changes, and more than one script makes."""
    with TemporaryDirectory() as folder, patch.object(setup, 'log_of', lambda engine: Logs()):
        engine = create_engine(f'sqlite:///{folder}/shop.sqlite')
        columns = Column('title', String, primary_key=True), Column('artist', String)
        song = Table('song', MetaData(), *columns)
        with engine.connect() as connection:
            connection.exec_driver_sql('PRAGMA journal_mode=WAL')  # read while others write
        with engine.begin() as connection:
            song.create(connection)
            connection.execute(song.insert(), [{'title': str(n)} for n in range(10)])
        rest = {model: ['year', 'album', 'covers']}
        job = Mirror(engine, {model: song}, defaults=rest, maxDrop=None, maxChanges=5)
        changes = iter([song.update().where(song.c.title < '2'), song.update()])
        stop = Event()

        def changed(status: Any) -> None:
            change = next(changes, None)
            if change is None:
                return stop.set()
            with engine.begin() as connection:
                connection.execute(change.values(artist='Queen'))

        job.follow(stop, changed, prepare=True)
        assert job.status() is not None
        engine.dispose()
    assert model.objects.filter(artist='Queen').count() == 10


def check(model: Any) -> None:
    """Look at everything, and change nothing."""
    model.objects.check()
    assert model.objects.info().objects == model.objects.count()
    assert IR.findModels()


def repair(model: Any) -> None:
    """Repair whatever is damaged."""
    assert model.objects.repair().ok
    assert model.objects.check().ok


def destroy(model: Any) -> None:
    """Remove the model."""
    model.deleter.destroyModel()
    assert model.objects.count() == 0


def beside_a_reset(model: Any, admin: Any) -> None:
    """Store what a reset that is still alive has staged."""
    damage('reset that died staging')(model, admin)
    admin.set('_ir_|Song:tmp:lock', 'token', px=60_000)


DAMAGED = [damage(name) for name in damages.REPAIRABLE]
SWEPT = [damage(name) for name in damages.REPAIRABLE if name.startswith('reset that died')]
ROLES = {
    'reader': [Scene(store(count), read) for count in (10, SIZE, 1500)],
    'writer': [
        Scene(store(10), write),
        *(Scene(prepare, replace_one) for prepare in (*LEFT, *SWEPT)),
    ],
    'mirror': [
        Scene(lambda *_: None, partial(mirror, size=SIZE)),
        *(Scene(prepare, mirror) for prepare in (*LEFT, *SWEPT)),
        Scene(lambda *_: None, follow),
    ],
    'checker': [
        Scene(prepare, check) for prepare in (store(SIZE), *LEFT, *DAMAGED, beside_a_reset)
    ],
    'keeper': [
        *(Scene(prepare, repair) for prepare in (*LEFT, *DAMAGED)),
        *(Scene(prepare, destroy) for prepare in (store(SIZE), *LEFT, *SWEPT)),
    ],
}
# Of `indexedredis`; each gets the output of the one before.
COMMANDS = {
    'reader': [
        'explain support.acl_users:Song artist=Abba --analyze',
        'export support.acl_users:Song',
    ],
    'writer': [
        *(
            'export support.acl_users:Song',
            'import support.acl_users:Song',
            'reindex support.acl_users:Song',
        ),
        *('export support.acl_users:Song', 'import support.acl_users:Song --mode add --new-pks'),
    ],
    'checker': ['info support.acl_users:Song', 'models', 'check support.acl_users:Song'],
    'keeper': ['repair support.acl_users:Song --yes'],
}
