"""Every kind of operation, as a small function that fails if its outcome is wrong. The rule: each
finds the same three songs of two artists, whatever the others have done.

``READS`` change nothing. Those of ``WRITES`` may leave anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

import IndexedRedis as IR
from IndexedRedis import IndexedRedisModel, IRField, Q
from IndexedRedis.cli.walk import Walk
from IndexedRedis.fields import IRForeignLinkField
from IndexedRedis.mirror import Mirror

READS: dict[str, Callable[[Any], Any]] = {}
WRITES: dict[str, Callable[[Any], Any]] = {}
#: those that asyncio cannot do
OF_THREADS: dict[str, Callable[[Any], Any]] = {}
#: the connection parameters of the models
there: dict[str, Any] = {}


class Artist(IndexedRedisModel):
    FIELDS = [IRField('name')]
    INDEXED_FIELDS = ['name']
    KEY_NAME = '{matrix}Artist'


class Song(IndexedRedisModel):
    FIELDS = [
        IRField('title'),
        IRField('genre'),
        IRField('year', valueType=int),
        IRForeignLinkField('artist', Artist),
    ]
    INDEXED_FIELDS = ['genre', 'artist']
    SORTED_FIELDS = ['year']
    UNIQUE_FIELDS = ['title']
    KEY_NAME = '{matrix}Song'


MODELS = [Song, Artist]


def songs() -> list[Any]:
    """The three songs, two of them of one artist."""
    abba, queen = Artist(name='Abba'), Artist(name='Queen')
    rows = [('One', 'pop', 1974, abba), ('Two', 'rock', 1976, queen), ('Three', 'pop', 1980, abba)]
    return [Song(title=t, genre=g, year=y, artist=a) for t, g, y, a in rows]


def titles(found: Any) -> list[str]:
    """What was found, in any order."""
    return sorted(song.title for song in found)


def read(operation: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Add an operation that reads."""
    READS[operation.__name__] = operation
    return operation


def write(operation: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Add an operation that writes."""
    WRITES[operation.__name__] = operation
    return operation


def of_threads(operation: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Add an operation that only threads can do."""
    OF_THREADS[operation.__name__] = operation
    return operation


# -- reads -------------------------------------------------------------------------------------


@read
def get(every):
    (pk,) = every.filter(title='Two').getPrimaryKeys()
    assert every.get(pk).year == 1976
    assert titles(every.getMultiple([pk])) == ['Two']


@read
def all_(every):
    assert titles(every.all()) == ['One', 'Three', 'Two']


@read
def filter_(every):
    assert titles(every.filter(genre='pop').all()) == ['One', 'Three']
    assert titles(every.filter(genre__ne='pop').all()) == ['Two']


@read
def expressions(every):
    assert titles(every.filter(Q(genre='rock') | Q(title='One')).all()) == ['One', 'Two']
    assert every.exclude(genre__in=['rock', 'folk']).count() == 2


@read
def count(every):
    assert (every.count(), every.filter(genre='pop').count()) == (3, 2)


@read
def first_last_random(every):
    query = every.filter(genre='rock')
    assert {query.first().title, query.last().title, query.random().title} == {'Two'}


@read
def exists(every):
    assert every.filter(genre='pop').exists()
    assert not every.exists(10**9)


@read
def partial_objects(every):
    assert titles(every.only('title').all()) == ['One', 'Three', 'Two']
    assert len(every.allOnlyIndexedFields()) == 3


@read
def values(every):
    assert sorted(every.valuesList('title', flat=True)) == ['One', 'Three', 'Two']
    assert {row['year'] for row in every.values('year')} == {1974, 1976, 1980}


@read
def iterator(every):
    assert titles(every.iterator(2)) == ['One', 'Three', 'Two']


@read
def in_bulk(every):
    pks = every.getPrimaryKeys()
    assert len(every.inBulk([*pks])) == 3


@read
def count_by(every):
    assert every.countBy('genre') == {'pop': 2, 'rock': 1}
    assert sorted(every.distinctValues('genre')) == ['pop', 'rock']


@read
def ranges(every):
    assert titles(every.filter(year__gte=1976).all()) == ['Three', 'Two']


@read
def orders(every):
    assert [song.title for song in every.orderBy('-year').all()] == ['Three', 'Two', 'One']
    assert [song.title for song in every.orderBy('year')[1:2].all()] == ['Two']


@read
def pages(every):
    page = every.orderBy('year').page(size=2)
    after = every.orderBy('year').page(size=2, after=page.next)
    assert [song.title for song in (*page.objects, *after.objects)] == ['One', 'Two', 'Three']


@read
def links(every):
    assert every.filter(title='One').first().artist.name == 'Abba'
    assert every.filter(title='Two').all(cascadeFetch=True)[0].artist.name == 'Queen'


@read
def filters_along_links(every):
    assert every.filter(artist__name='Abba').count() == 2


@read
def reload(every):
    found = every.all()
    assert found[0].reload() == {}
    assert len(found.refetch()) == 3


@read
def explain(every):
    assert every.filter(genre='pop').explain(analyze=True)


@read
def info(every):
    assert every.info().objects == 3


@read
def check(every):
    assert every.check().ok


@read
def mirrored_at(every):
    assert every.mirroredAt() is None


@of_threads
def export(every):
    assert sum(map(len, Walk(Song).pages())) == 3


# -- writes ------------------------------------------------------------------------------------


@write
def save(every):
    song = Song(title='New', genre='folk')
    song.save()
    song.genre = 'pop'
    song.save()
    assert every.filter(genre='pop').count() == 3


@write
def save_many(every):
    Song.saver.save([Song(title=f'New {n}', genre='folk') for n in range(300)])
    assert every.filter(genre='folk').count() == 300


@write
def cascade(every):
    Song(title='New', artist=Artist(name='Nena')).save()
    assert titles(every.filter(artist__name='Nena').all()) == ['New']


@write
def unique(every):
    try:
        Song(title='One').save()
    except IR.UniqueError:
        return
    raise AssertionError('stored twice')


@write
def get_or_create(every):
    assert every.getOrCreate(title='New', defaults={'genre': 'folk'})[1]
    assert not every.updateOrCreate(title='New', defaults={'genre': 'pop'})[1]
    assert every.create(title='Newer').getPk()


@write
def update(every):
    assert every.filter(genre='pop').update(genre='folk') == 2
    assert every.filter(genre='folk').count() == 2


@write
def delete(every):
    song, *_ = every.filter(genre='rock').all()
    song.delete()
    Song.deleter.deleteByPk(every.filter(title='One').getPrimaryKeys()[0])
    assert titles(every.all()) == ['Three']


@write
def delete_many(every):
    Song.deleter.deleteMultiple(every.filter(genre='pop').all())
    assert titles(every.all()) == ['Two']


@write
def delete_by_filter(every):
    assert every.filter(genre='pop').delete() == 2


@write
def reset(every):
    Song.reset(Song(title=str(n), genre='new') for n in range(400))
    assert every.filter(genre='new').count() == every.count() == 400


@write
def reset_many(every):
    nena = Artist(name='Nena')
    IR.resetMany([(Song, [Song(title='New', artist=nena)]), (Artist, [nena])])
    assert [song.artist.name for song in every.all()] == ['Nena']


@write
def reset_changed(every):
    IR.resetChanged({Song: [Song(title='One', genre='new')]}, {Song: 'title'})
    assert [song.genre for song in every.all()] == ['new']


@write
def reindex(every):
    every.reindex()
    assert every.filter(genre='pop').count() == 2


@write
def repair(every):
    assert every.repair().ok


@write
def copy(every):
    song = every.filter(title='Two').first().copy()
    song.title = 'Copy'
    song.save()
    assert every.filter(genre='rock').count() == 2


@write
def connect_alt(every):
    other = Song.connectAlt(there)
    other(title='New', genre='folk').save()
    assert other.objects.filter(genre='folk').count() == 1


@write
def client_side_cache(every):
    Song.CLIENT_SIDE_CACHE = 10
    try:
        for number in range(3):
            assert every.filter(genre='folk').count() == every.filter(genre='folk').count()
            Song(title=f'New {number}', genre='folk').save()
            assert every.filter(genre='folk').count() == number + 1
    finally:
        Song.CLIENT_SIDE_CACHE = 0


@of_threads
def mirror(every):
    engine = create_engine('sqlite://', poolclass=StaticPool)
    with engine.begin() as connection:
        connection.exec_driver_sql('CREATE TABLE song (title TEXT PRIMARY KEY, genre TEXT)')
        connection.exec_driver_sql("INSERT INTO song VALUES ('Mirrored', 'folk')")
    job = Mirror(
        engine,
        {Song: 'SELECT title, genre FROM song'},
        keys={Song: 'title'},
        defaults={Song: ['year', 'artist']},
        maxDrop=None,
    )
    job.run()
    job.run(mode='diff')
    assert titles(every.all()) == ['Mirrored']
    engine.dispose()


@write
def destroy_model(every):
    Song.deleter.destroyModel()
    assert every.count() == 0
