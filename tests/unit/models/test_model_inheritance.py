"""Models derived from models. The rule: a class is what Python makes of it, and validated."""

from __future__ import annotations

import pytest

import IndexedRedis as IR
from IndexedRedis import (
    IndexedRedisModel,
    InvalidModelException,
    IRClassicField,
    IRField,
)
from unit.build import define, load


class Abstract(IndexedRedisModel):
    FIELDS = [IRField('name')]
    INDEXED_FIELDS = ['name']


class Loud:
    def shout(self):
        return self.name.upper()


class Record(Loud, Abstract):
    KEY_NAME = 'Record'
    FIELDS = [*Abstract.FIELDS, IRField('year', valueType=int)]


class Single(Record):
    KEY_NAME = 'Single'
    FIELDS = [*Record.FIELDS, IRField('side')]
    INDEXED_FIELDS = ['year', *Abstract.INDEXED_FIELDS]


def test_an_abstract_base_is_only_refused_when_used():
    with pytest.raises(InvalidModelException, match='Abstract cannot be used:\n  - KEY_NAME'):
        Abstract(name='x')


def test_subclasses_add_fields_and_inherit_methods():
    single = Single(name='x', year='1981', side='B')
    assert (single.shout(), single.year, single.side) == ('X', 1981, 'B')
    assert Record.FIELDS == ['name', 'year']
    assert not hasattr(Record(name='y'), 'side')
    assert [column.name for column in Single._validated().indexed] == ['name', 'year']
    assert Single(name='x') != Record(name='x')


def test_a_model_in_a_function_may_use_super():
    class Child(Record):
        KEY_NAME = 'Child'

        def shout(self):
            return super().shout() + '!'

    assert load(Child, name=b'x', year=b'5').shout() == 'X!'


class WithInit(IndexedRedisModel):
    FIELDS = [IRField('name'), IRField('year', valueType=int), IRField('moment', valueType=list)]
    KEY_NAME = 'WithInit'

    def __init__(self, *args, **values):
        super().__init__(*args, **values)
        self.calls = getattr(self, 'calls', 0) + 1


def test_an_own_init_runs_for_new_and_for_fetched_objects():
    assert WithInit(name='x').calls == 1
    fetched = load(WithInit, 7, name=b'x', year=b'5', moment=b'[1]')
    assert (fetched.calls, fetched._id, fetched.year, fetched.moment) == (1, 7, 5, [1])
    assert not fetched.hasUnsavedChanges()


def test_an_own_init_does_not_hide_unreadable_bytes():
    fetched = load(WithInit, 7, name=b'x', year=b'five')
    assert (fetched.calls, fetched.name) == (1, 'x')
    with pytest.raises(IR.UnreadableValueError):
        fetched.year


def test_a_subclass_that_leaves_out_a_field_has_none():
    model = define('name', 'old')
    subclass = type(model)('Sub', (model,), {'FIELDS': [IRField('name')]})
    assert hasattr(model(), 'old')
    assert not hasattr(subclass(), 'old')


def test_inherited_fields_may_be_plain_names():
    base = type('Base', (), {'FIELDS': ['name']})
    model = type(IndexedRedisModel)('Song', (base, IndexedRedisModel), {'KEY_NAME': 'Song'})
    with pytest.warns(DeprecationWarning, match='IRClassicField'):
        assert model().name == ''
    assert [type(field) for field in base.FIELDS] == [IRClassicField]
