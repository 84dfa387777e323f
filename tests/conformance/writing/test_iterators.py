"""Data that comes from a generator. The rule: it is never in memory as a whole."""

from __future__ import annotations

import gc
import weakref

import pytest

from IndexedRedis import FieldValueError, UsageError


class Source:
    """A generator of objects that counts how many of them are alive at a time."""

    def __init__(self, model, count):
        self.model, self.count = model, count
        self.alive, self.most = weakref.WeakValueDictionary(), 0

    def __iter__(self):
        for n in range(self.count):
            obj = self.model(title=f't{n}', artist=f'a{n % 7}', year=n % 100)
            self.alive[n] = obj
            self.most = max(self.most, len(self.alive))
            yield obj
            del obj


@pytest.mark.large
@pytest.mark.plain_model
@pytest.mark.parametrize('way', ['reset', 'save', 'saveMultiple'])
def test_a_thousand_or_two_objects_are_in_memory_at_a_time(song, way):
    source = Source(song, 6000)
    call = song.reset if way == 'reset' else getattr(song.saver, way)
    gc.collect()
    assert call(iter(source)) == list(range(1, 6001))
    assert 1000 <= source.most <= 2300
    assert song.objects.count() == 6000
    assert song.objects.filter(year=7).count() == 60
    assert song.objects.get(6000).title == 't5999'


@pytest.mark.parametrize('way', ['reset', 'save'])
def test_objects_that_somebody_holds_are_told(song, way):
    held = [song(title=str(n), artist='x') for n in range(2300)]
    call = song.reset if way == 'reset' else song.saver.save
    assert call(obj for obj in held) == [obj._id for obj in held] == list(range(1, 2301))
    assert not any(obj.hasUnsavedChanges() for obj in held)
    held[1500].artist = 'y'
    held[1500].save()
    assert song.objects.filter(artist='y').getPrimaryKeys() == [1501]


@pytest.mark.plain_model
def test_a_save_that_fails_keeps_the_thousands_before(song):
    objs = [song(title=str(n)) for n in range(2500)]
    objs[1700].__dict__['title'] = '\ud800'
    with pytest.raises(FieldValueError):
        song.saver.save(iter(objs))
    assert song.objects.count() == 1000
    assert [obj._id for obj in objs[:1000]] == list(range(1, 1001))
    assert all(obj._id is None for obj in objs[1000:])
    objs[1700].title = 'mended'
    song.saver.save(iter(objs))
    assert song.objects.count() == 2500
    assert sorted(int(t) for t in {obj.title for obj in song.objects.all()} - {'mended'}) == [
        n for n in range(2500) if n != 1700
    ]


@pytest.mark.plain_model
def test_forced_pks_go_with_an_iterator(song):
    objs = [song(title=str(n)) for n in range(3)]
    assert song.saver.save(iter(objs), forceID=[5, False, 9]) == [5, 10, 9]


def test_what_is_no_iterable(song):
    for call in (song.saver.save, song.reset):
        with pytest.raises(UsageError, match='neither an object nor a list'):
            call(7)
