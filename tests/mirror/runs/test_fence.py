"""The fence of a mirror: data goes live only while each mirror lock holds the token of the run."""

from __future__ import annotations

import pytest

from IndexedRedis import IRField, ResetLostError, ResetObserver, resetChanged, resetMany

LOCK = '_ir_|{}:tmp:mirror'


class Fenced(ResetObserver):
    """Holds the lock, and loses it just before the swap where told to."""

    fence = b'ours'

    def __init__(self, raw, models, holder=b'ours'):
        self.raw, self.models, self.holder = raw, models, holder
        for model in models:
            raw.set(LOCK.format(model.KEY_NAME), self.fence, px=60_000)

    def swapping(self):
        self.raw.delete(LOCK.format(self.models[-1].KEY_NAME))
        if self.holder:
            self.raw.set(LOCK.format(self.models[-1].KEY_NAME), self.holder, px=60_000)


@pytest.fixture
def models(make_model):
    """Two models, one object each."""
    fields = [IRField('id'), IRField('value')]
    made = [make_model(fields, ['id'], key_name=name) for name in ('One', 'Two')]
    for model in made:
        model.reset([model(id='1', value='old')])
    return made


def full(models, observer):
    resetMany({model: [model(id='1', value='new')] for model in models}, observer)


def changed(models, observer):
    groups = {model: [model(id='1', value='new')] for model in models}
    resetChanged(groups, dict.fromkeys(models, 'id'), observer=observer)


WAYS = pytest.mark.parametrize('replace', [full, changed])


def values(models):
    return [model.objects.filter(id='1').first().value for model in models]


@WAYS
def test_who_holds_every_lock_goes_live(models, raw, check, replace):
    replace(models, Fenced(raw, models))
    assert values(models) == ['new', 'new']
    check()


@WAYS
@pytest.mark.parametrize('holder', [None, b'another run'])
def test_who_lost_one_lock_changes_nothing(models, raw, check, replace, holder):
    names = ', '.join(model.__name__ for model in models)
    with pytest.raises(ResetLostError, match=f'{names}: this run lost the mirror lock'):
        replace(models, Fenced(raw, models, holder))
    assert values(models) == ['old', 'old']
    check()


@WAYS
def test_without_a_fence_the_lock_does_not_matter(models, raw, replace):
    raw.set(LOCK.format('One'), 'somebody', px=60_000)
    replace(models, None)
    assert values(models) == ['new', 'new']
