"""``resetChanged(newPks=...)``: many changes in one moment, as objects with new pks."""

from __future__ import annotations

import pytest

from IndexedRedis import (
    IRField,
    ResetLostError,
    ResetObserver,
    TooManyChangesError,
    resetChanged,
)
from IndexedRedis._core.resets import diff


@pytest.fixture
def model(make_model):
    """A model with a hundred objects."""
    fields = [IRField('id', valueType=int), IRField('shop'), IRField('stock', valueType=int)]
    made = make_model(fields, ['id', 'shop'])
    made.reset([made(id=number, shop=f's{number % 3}', stock=1) for number in range(100)])
    return made


def stored(model):
    return {each.id: (each.shop, each.stock) for each in model.objects.all()}


def change(model, rows, removed=(), **how):
    objs = [model(id=number, shop=shop, stock=2) for number, shop in rows]
    how = {'most': 10, 'removed': {model: removed}, 'newPks': [model], **how}
    (counts,) = resetChanged({model: objs}, {model: 'id'}, **how)
    return counts, objs


def test_more_changes_than_the_limit_get_new_pks(model, check, raw):
    before = {each.id: each._id for each in model.objects.all()}
    counts, objs = change(model, [(n, 'new') for n in range(80, 120)], removed=[0, 1, 2])
    assert counts == (20, 20, 0, 3)
    after = {each.id: each._id for each in model.objects.all()}
    assert after.keys() == {*range(3, 120)}
    assert all(after[number] == before[number] for number in range(3, 80))
    assert not {after[number] for number in range(80, 120)} & {*before.values()}
    assert {obj.id: obj._id for obj in objs} == {number: after[number] for number in range(80, 120)}
    assert model.objects.filter(shop='new').count() == 40
    assert sorted(each.id for each in model.objects.filter(shop='s0').all()) == [*range(3, 80, 3)]
    check()
    old = [f'_ir_|{model.KEY_NAME}:data:{before[number]}' for number in (0, 1, 80, 99)]
    assert all(0 < raw.pttl(key) <= 10_000 for key in old), 'old rows stay readable for a while'
    assert not [*raw.scan_iter(f'_ir_|{model.KEY_NAME}:tmp:*:*')]


def test_fewer_keep_their_pks(model, check):
    before = {each.id: each._id for each in model.objects.all()}
    change(model, [(n, 'new') for n in range(10)])
    assert {each.id: each._id for each in model.objects.all()} == before
    check()


def test_a_model_that_keeps_its_pks_keeps_to_its_limit(model, make_model, check):
    other = make_model(['name'], ['name'])
    objs = [other(name=f'{number}') for number in range(5)]
    many = [model(id=number, shop='new', stock=2) for number in range(50)]
    keys, how = {model: 'id', other: 'name'}, {'removed': {}, 'newPks': [model]}
    resetChanged({model: many, other: objs}, keys, most=5, **how)
    assert model.objects.filter(shop='new').count() == 50
    assert other.objects.count() == 5
    objs = [other(name=f'x{number}') for number in range(6)]
    with pytest.raises(TooManyChangesError, match='more than 5 objects'):
        resetChanged({model: [], other: objs}, keys, most=5, **how)
    check()


def test_the_largest_number_is_refused_with_its_size(model, monkeypatch, check):
    monkeypatch.setattr(diff, 'FRESH_AT_ONCE', 40)
    with pytest.raises(TooManyChangesError, match='more than 40 objects'):
        change(model, [(number, 'new') for number in range(41)])
    change(model, [(number, 'new') for number in range(40)])
    check()


class Refusing(ResetObserver):
    """Ends it before anything goes live."""

    def swapping(self):
        raise RuntimeError('no')


def test_what_was_stored_and_not_used_is_removed(model, check, raw):
    before = stored(model)
    with pytest.raises(RuntimeError):
        change(model, [(number, 'new') for number in range(50)], observer=Refusing())
    assert stored(model) == before
    assert not [*raw.scan_iter(f'_ir_|{model.KEY_NAME}:tmp:*:*')]
    assert raw.keys(f'_ir_|{model.KEY_NAME}:idx:shop:new') == []
    check()


class Losing(ResetObserver):
    """Loses what was stored just before it goes live."""

    def __init__(self, raw, pattern):
        self.raw, self.pattern = raw, pattern

    def swapping(self):
        (key,) = self.raw.scan_iter(self.pattern)
        self.raw.spop(key)


@pytest.mark.parametrize('name', ['keys', 'old'])
def test_lists_that_lost_a_pk_are_not_used(model, raw, check, name):
    before = stored(model)
    pattern = f'_ir_|{model.KEY_NAME}:tmp:*:{name}'
    with pytest.raises(ResetLostError):
        change(model, [(number, 'new') for number in range(50)], observer=Losing(raw, pattern))
    assert stored(model) == before
    check()
