"""Objects in another Redis, and models that are more than their fields. The rule: a variant of a
model works like the model, and stays apart from it."""

from __future__ import annotations

import pytest
from support.keyspace import dump

from IndexedRedis import IndexedRedisModel, IRField, ObjectGoneError, UnknownNameWarning

pytestmark = pytest.mark.names_keys


@pytest.fixture
def other_db(redis_params):
    """A second, empty database."""
    return {**redis_params, 'db': 1}


@pytest.mark.parametrize('by', ['parameters', 'missing parameters', 'a client'])
def test_saveToExternal_stores_a_copy_under_a_pk_of_there(songs, bring_client, raw, other_db, by):
    client = bring_client(**other_db)
    target = {'parameters': other_db, 'missing parameters': {'db': 1}, 'a client': client}[by]
    before = dump(raw)
    obj = songs.objects.get(4)
    assert obj.saveToExternal(target) == [1]
    assert obj.saveToExternal(target) == [2]
    assert (obj._id, obj.hasUnsavedChanges()) == (4, False)
    assert dump(raw) == before
    there = songs.connectAlt(other_db).objects
    assert [o.title for o in there.filter(artist='AC/DC').allByAge()] == ['Hells Bells'] * 2


def test_saveToExternal_takes_local_changes_along(songs, other_db):
    obj = songs.objects.get(4)
    obj.artist = 'changed'
    obj.saveToExternal(other_db)
    assert songs.connectAlt(other_db).objects.filter(artist='changed').count() == 1
    assert obj.getUpdatedFields() == {'artist': ('AC/DC', 'changed')}
    assert songs(title='new').saveToExternal(other_db) == [2]


def test_connectAlt_is_the_model_on_another_connection(songs, other_db, watch_models):
    there = songs.connectAlt({'db': 1})
    watch_models(there)
    assert there is not songs
    assert there is songs.connectAlt({'db': 1})
    assert there is not songs.connectAlt({'db': 2})
    assert there.objects.all() == []
    obj = there(title='there', artist='Abba')
    assert obj.save() == [1]
    assert there.reset([there(title='x'), obj]) == [2, 1]
    assert there.objects.filter(artist='Abba').first().title == 'there'
    assert songs.objects.filter(artist='Abba').count() == 3
    there.deleter.destroyModel()
    assert songs.objects.count() == 6


class Counted(IndexedRedisModel):
    """A model as people write them: with an own `__init__`, attributes, methods, `super()`."""

    FIELDS = [
        IRField('name'),
        IRField('n', valueType=int, defaultValue=5),
        IRField('tags', valueType=list),
    ]
    INDEXED_FIELDS = ['name']
    KEY_NAME = 'Counted'
    made = 0

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.note = f'<{self.name}>'
        type(self).made += 1

    def describe(self):
        return f'{self.name} {self.n}'

    @classmethod
    def named(cls, name):
        return cls.objects.filter(name=name).all()

    @property
    def upper(self):
        return self.name.upper()

    @upper.setter
    def upper(self, value):
        self.name = value.lower()

    def save(self):
        self.note = 'saved'
        return super().save()


@pytest.fixture
def counted(watch_models, redis_params):
    watch_models(Counted)
    return Counted


def test_an_own_init_runs_for_fetched_objects_too(counted):
    counted(name='a', n=1).save()
    counted(name='b').save()
    made = counted.made
    found = counted.objects.allByAge()
    assert counted.made == made + 2
    assert [(obj.note, obj.n, obj.describe()) for obj in found] == [
        ('<a>', 1, 'a 1'),
        ('<b>', 5, 'b 5'),
    ]
    assert not any(obj.hasUnsavedChanges() for obj in found)
    for obj in (counted.objects.get(1), counted.objects.getMultiple([1])[0], counted.named('a')[0]):
        assert (obj._id, obj.note, obj.upper) == (1, '<a>', 'A')
    partial = counted.objects.getOnlyFields(1, ['n'])
    assert (partial.n, partial.note) == (1, '<>')
    assert not partial.hasUnsavedChanges()


def test_an_overridden_save_and_a_property_that_sets_a_field(counted):
    obj = counted(name='a')
    assert obj.save() == [1]
    assert obj.note == 'saved'
    obj = counted.objects.get(1)
    obj.upper = 'NEW'
    obj.tags = ['x']
    obj.save()
    assert counted.named('new')[0].tags == ['x']
    assert counted.named('a') == []
    alt = counted.connectAlt({'db': 1})
    assert alt(name='there').save() == [1]
    assert alt.named('there')[0].note == '<there>'


def test_extra_attributes_stay_with_the_object_only(counted, raw):
    with pytest.warns(UnknownNameWarning, match='unknown'):
        obj = counted(name='a', unknown='ignored')
    obj.extra = 1
    obj.save()
    obj.extra = 2
    assert not obj.hasUnsavedChanges()
    assert not hasattr(counted.objects.get(1), 'extra')
    assert raw.hkeys('_ir_|Counted:data:1') == [b'name', b'n', b'tags']


def test_a_model_that_inherits_has_fields_and_objects_of_its_own(make_model, watch_models):
    base = make_model(['a'], indexed=['a'])

    class Derived(base):
        FIELDS = [*base.FIELDS, IRField('b')]
        INDEXED_FIELDS = ['a', 'b']
        KEY_NAME = 'Derived'

    watch_models(Derived)
    base(a='base').save()
    Derived(a='derived', b='x').save()
    assert [obj.a for obj in base.objects.all()] == ['base']
    assert [(obj.a, obj.b) for obj in Derived.objects.filter(b='x').all()] == [('derived', 'x')]
    handle = base.objects.get(1)
    Derived.deleter.destroyModel()
    handle.a = 'changed'
    assert handle.save() == [1]
    base.deleter.deleteByPk(1)
    handle.a = 'again'
    with pytest.raises(ObjectGoneError):
        handle.save()
