"""A server whose memory is full refuses the steps of a reset. The rule: what is stored stays, and
what was staged goes, so that there is memory again."""

from __future__ import annotations

import pytest

from partitions.leftovers import assert_clean
from partitions.played import Played
from partitions.rows import ask, data_set, extra, extras, process, resetting

pytestmark = pytest.mark.faults


def test_each_step_is_refused(begun, raw):
    begun()
    reset = resetting(1, 4, 2)
    reset.finish()
    seen = set()
    for count in range(0, reset.count, 2):
        one = begun()
        kept = extra(one)
        kept.save()
        reset = resetting(1, 4, 2)
        assert reset.advance(count)
        raw.config_set('maxmemory', '1mb')
        try:
            while not reset.ended:
                reset.step()
            first = ask(one)
            assert ask(process(2)) == first
            if reset.error is None:
                assert first == 2
        finally:
            raw.config_set('maxmemory', '0')
        assert ask(process(3)) == first
        obj = extra(one)
        obj.save()
        assert extras(one) == {obj.name} | ({kept.name} if first == 1 else set())
        resetting(3, 4, 3).finish()
        assert_clean(raw)
        seen.add(first)
    assert seen == {1, 2}


def test_what_was_staged_goes(begun, raw):
    begun()
    model = process(1)
    reset = Played(lambda: model.reset(data_set(model, 2)))
    reset.until(lambda told: told.startswith('commit'))
    raw.config_set('maxmemory', '1mb')
    try:
        reset.step()
        while not reset.ended:
            reset.step()
        assert reset.error is not None
        staged = raw.keys('_ir_|*:keys:3:*')  # the first one was opened empty
        assert staged == []
        assert ask(process(2)) == 1
    finally:
        raw.config_set('maxmemory', '0')
