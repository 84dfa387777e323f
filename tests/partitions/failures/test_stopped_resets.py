"""A reset whose process dies after each of its steps. The rule: readers see one data set, writers
go on, and the next reset leaves nothing behind."""

from __future__ import annotations

import pytest

from partitions.leftovers import assert_clean
from partitions.rows import ask, extra, extras, process, resetting

pytestmark = pytest.mark.faults
CHANGES = [(4, 4), (4, 6), (6, 4)]


def stopped(begin, change, backwards, config):
    """At each step of a reset, or every other one without `--full`: the process that was there
    before, an object that it has saved, and the reset."""
    before, after = change
    begin(before)
    reset = resetting(1, after, 2)
    reset.finish()
    every, seed = config.getoption('--full'), config.getoption('--seed')
    for count in range(0 if every else seed % 2, reset.count, 1 if every else 2):
        one = begin(before)
        reset = resetting(1, after, 2, backwards)
        kept = extra(one)
        kept.save()
        assert reset.advance(count)
        yield one, kept, reset


@pytest.mark.parametrize('backwards', [False, True], ids=['forwards', 'backwards'])
@pytest.mark.parametrize('change', CHANGES, ids=str)
def test_readers_writers_and_the_next_reset_go_on(
    begun, raw, expire, change, backwards, pytestconfig
):
    before, after = change
    seen = []
    for one, kept, reset in stopped(begun, change, backwards, pytestconfig):
        reset.die()
        first = ask(process(2, after))
        assert ask(one) == first
        expire()
        saved = [extra(one) for _ in range(6)]
        for obj in saved[:4]:
            obj.save()
        one.saver.save(saved[4:])
        assert ask(process(2, after)) == ask(one) == first
        names = {obj.name for obj in (*saved, *([kept] if first == 1 else []))}
        assert extras(process(2, before)) == names
        resetting(3, after, 3).finish()
        assert ask(one) == 3
        pks = {*assert_clean(raw).rows()} & {obj._id for obj in (*saved, kept)}
        assert not pks, 'they were handed out twice'
        seen.append(first)
    assert seen == sorted(seen)
    assert {*seen} == {1, 2}


@pytest.mark.parametrize('change', CHANGES, ids=str)
def test_the_next_reset_comes_at_once(begun, raw, expire, change, pytestconfig):
    before, after = change
    for one, _, reset in stopped(begun, change, True, pytestconfig):
        reset.die()
        expire()
        resetting(2, before, 3).finish()
        assert ask(one) == ask(process(3, after)) == 3
        assert_clean(raw)
