"""``resetChanged(removed=...)``: some changes, while all other objects stay."""

from __future__ import annotations

import pytest

from IndexedRedis import (
    IRField,
    ResetLostError,
    ResetObserver,
    TooManyChangesError,
    UsageError,
    resetChanged,
)


@pytest.fixture
def model(make_model):
    """A model with five objects, 'a' to 'e'."""
    fields = [IRField('name'), IRField('shop'), IRField('stock', valueType=int)]
    made = make_model(fields, ['name', 'shop'])
    made.reset([made(name=name, shop='x', stock=1) for name in 'abcde'])
    return made


def stock(model):
    return {each.name: (each._id, each.stock) for each in model.objects.all()}


def test_only_what_is_given_or_named_changes(model, check):
    before = stock(model)
    changed = [model(name='b', shop='x', stock=2), model(name='f', shop='x', stock=3)]
    (counts,) = resetChanged({model: changed}, {model: 'name'}, removed={model: ['d', 'unknown']})
    after = stock(model)
    assert counts == (1, 1, 0, 1)
    assert after.keys() == {*'abcef'}
    assert after['b'] == (before['b'][0], 2)
    assert [after[name] for name in 'ace'] == [before[name] for name in 'ace']
    check()


def test_keys_of_several_fields_are_tuples(model, check):
    removed = {model: [('a', 'x'), ('b', 'another shop')]}
    resetChanged({model: []}, {model: ('name', 'shop')}, removed=removed)
    assert stock(model).keys() == {*'bcde'}
    check()


def test_pks_are_keys_too(model, check):
    pk = stock(model)['c'][0]
    resetChanged({model: []}, {model: '_id'}, removed={model: [pk, 999]})
    assert stock(model).keys() == {*'abde'}
    check()


@pytest.mark.parametrize('key', ['name', ('name', 'shop')])
def test_of_several_objects_with_a_key_the_first_stays_or_none(model, check, key):
    before = stock(model)
    for name in 'abbc':
        model(name=name, shop='x', stock=7).save()
    others = {each._id for each in model.objects.filter(name='c').all()}
    named = [('a', 'x')] if isinstance(key, tuple) else ['a']
    changed = [model(name='b', shop='x', stock=1), model(name='d', shop='x', stock=2)]
    (counts,) = resetChanged({model: changed}, {model: key}, removed={model: named})
    assert counts == (0, 1, 1, 4)
    assert {each._id for each in model.objects.filter(name='c').all()} == others
    assert [each._id for each in model.objects.filter(name='b').all()] == [before['b'][0]]
    assert model.objects.count() == 5
    check()


def test_an_object_that_is_given_and_named_stays(model):
    resetChanged({model: [model(name='a', shop='y')]}, {model: 'name'}, removed={model: ['a', 'a']})
    assert model.objects.filter(name='a').first().shop == 'y'


def test_a_model_that_is_not_named_loses_nothing(model):
    resetChanged({model: []}, {model: 'name'}, removed={})
    assert stock(model).keys() == {*'abcde'}


def test_removals_count_as_changes(model):
    with pytest.raises(TooManyChangesError):
        resetChanged({model: []}, {model: 'name'}, most=2, removed={model: ['a', 'b', 'c']})
    assert stock(model).keys() == {*'abcde'}


def test_another_model_is_refused(model, make_model):
    other = make_model([IRField('name')], ['name'])
    with pytest.raises(UsageError, match='is not one of the models'):
        resetChanged({model: []}, {model: 'name'}, removed={other: ['a']})


class Continuing(ResetObserver):
    """Continues the data with a time stamp."""

    def __init__(self, stamp):
        self.continues = stamp


def changes(model, observer, stamp):
    resetChanged({model: []}, {model: 'name'}, 9, observer, stamp, {model: ['a']})


FIRST, SECOND = '2026-01-01T00:00:00+00:00|at 1', '2026-01-01T00:00:00+00:00|at 2'


def test_changes_continue_the_data_that_they_belong_to(model, check):
    changes(model, None, FIRST)
    changes(model, Continuing(FIRST), SECOND)
    assert model.objects.mirroredAt().isoformat() == SECOND.partition('|')[0]
    check()


@pytest.mark.parametrize('replaced', ['by a reset', 'by a follower'])
def test_changes_of_other_data_change_nothing(model, replaced, check):
    changes(model, None, FIRST)
    if replaced == 'by a reset':
        model.reset([model(name='a')])
    else:
        resetChanged({model: [model(name='a')]}, {model: 'name'}, 9, None, SECOND, {})
    with pytest.raises(ResetLostError, match='not the one that these changes continue'):
        changes(model, Continuing(FIRST), SECOND)
    assert 'a' in stock(model)
    check()
