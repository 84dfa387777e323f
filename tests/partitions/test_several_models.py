"""Two models that are reset in one moment, by a process that dies after each of its steps. The
rule: who has seen the new data of one of them sees that of the other."""

from __future__ import annotations

import functools
import itertools

import pytest

import IndexedRedis as IR
from partitions.leftovers import assert_clean
from partitions.played import Played
from partitions.rows import ask, data_set, extra, extras, process

pytestmark = pytest.mark.faults
PARTS = 4


@functools.cache
def other_of(model):
    return type('Other', (model,), {'KEY_NAME': '{proof}Other'})


def models(number, partitions=4):
    """Two models, as a process knows them."""
    one = process(number, partitions)
    other = other_of(one)
    other._validated().known = None
    return one, other


def resetting_both(both, edition):
    return Played(lambda: IR.resetMany([(model, data_set(model, edition)) for model in both]))


@pytest.mark.parametrize('partitions', [4, 6])
@pytest.mark.parametrize('part', range(PARTS))
def test_both_or_none(raw, partitions, part, full):
    """After each of its steps, or some of them: each part of the test has others."""
    seen, stride = [], 1 if full else 5
    for count in itertools.count(part * stride, PARTS * stride):
        raw.flushall()
        both = models(0)
        resetting_both(both, 1).finish()
        reset = resetting_both(models(1, partitions), 2)
        if not reset.advance(count):
            break
        reset.die()
        first, second = [ask(model) for model in both], [ask(m) for m in reversed(models(2))]
        assert len({*first, *second}) == 1, count
        for model in both:
            raw.delete(f'_ir_|{model.KEY_NAME}:tmp:lock')
        objs = [extra(model) for model in both]
        for obj in objs:
            obj.save()
        assert [extras(model) for model in both] == [{obj.name} for obj in objs]
        assert [ask(model) for model in both] == first
        resetting_both(models(3), 3).finish()
        assert [ask(model) for model in both] == [3, 3]
        assert_clean(raw)
        assert_clean(raw, name=b'{proof}Other')
        seen.append(first[0])
    assert {*seen} == {1, 2}
