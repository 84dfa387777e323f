"""destroyModel takes several steps. The rule: whoever stores objects between them, or after it was
broken off, has them in the right index sets."""

from __future__ import annotations

from contextlib import suppress

import pytest
from redis.exceptions import TimeoutError

from faults.halted import RANGE, Halted, leave_dead_writer
from faults.item import contents, edition, over
from faults.proxy import INTERLEAVED
from IndexedRedis import ObjectGoneError, ResetLostError
from IndexedRedis._core.resets import destroy, staging, swap
from IndexedRedis._core.writes import sizes

# How often it runs whole first; the last of these times says how many steps it takes. A table of
# keys that other tests have made large becomes smaller meanwhile, and walks over it shorter.
BEFORE = -2


@pytest.fixture
def small_pages(monkeypatch):
    """More steps, as with many keys."""
    monkeypatch.setattr(destroy, 'PAGE', 2)


@pytest.fixture
def each_step(proxy, stored, item):
    """A generator: breaks destroyModel at each of its steps in turn."""

    def steps(mode, then=lambda: None, timeout=5):
        item.deleter.destroyModel()  # from then on the server knows the scripts
        model, number, count = over({**proxy.params, 'socket_timeout': timeout}), BEFORE, 0
        happened = proxy.happened
        while number <= count:
            stored.empty()
            item.saver.save(edition(item, 1, 30))
            proxy.fault(number, mode, then)
            try:
                model.deleter.destroyModel()
                broken = False
            except TimeoutError:
                broken = True
            count = len(proxy.commands) if number <= 0 else count
            if number > 0:
                # Walks over all keys differ in length, so this one may have had fewer steps.
                happened += len(proxy.commands) >= number
                assert proxy.happened == happened
                yield number, broken
            number += 1
        # Walks over all keys differ in length.
        assert proxy.happened > count / 2 > 10

    return steps


@pytest.mark.damaged
@pytest.mark.usefixtures('small_pages')
def test_objects_stored_after_a_broken_destroyModel_are_in_the_right_sets(item, each_step, stored):
    wrong = []
    times = 0
    for _, broken in each_step('silent', timeout=0.1):
        times += broken
        item.saver.save([item(name='new', n=500 + n, edition=9) for n in range(30)])
        assert len(item.objects.filter(edition=9).all()) == 30
        wrong += [text for text in stored.findings() if 'which stores' in text]
    assert wrong == []
    assert times > 10


@pytest.mark.usefixtures('small_pages')
@pytest.mark.parametrize('state', ['staging', 'committed'])
def test_a_broken_destroyModel_leaves_what_a_dead_writer_left_on_record(
    item, proxy, stored, raw, state
):
    """So the next writer sweeps or finishes it, as if destroyModel had not been called."""
    model, number, count = over({**proxy.params, 'socket_timeout': 0.1}), BEFORE, 0
    item.deleter.destroyModel()
    while number <= count:
        stored.empty()
        item.saver.save(edition(item, 1, 3))
        leave_dead_writer(raw, state)
        proxy.fault(number, 'silent')
        with suppress(TimeoutError):
            model.deleter.destroyModel()
        count = len(proxy.commands) if number <= 0 else count
        if number > 0 and len(proxy.commands) >= number:
            stored.check(pending=True)
            stored.end_lock()
            assert {*item.objects.repair().counts} <= {'leftover'}, number
            whole = 3 if state == 'staging' else 3 + len(RANGE)
            assert item.objects.count() in (0, whole), number
            stored.check()
        number += 1
    assert count > 10


@pytest.mark.damaged
@pytest.mark.usefixtures('small_pages')
def test_objects_stored_between_the_steps_of_a_destroyModel_are_whole(item, each_step, stored):
    wrong = []
    for _ in each_step(INTERLEAVED, lambda: item.saver.save(edition(item, 1, 30))):
        kept = len(item.objects.all())
        wrong += [] if kept in (0, 30) else [f'{kept} objects']
        wrong += stored.findings()
    assert wrong == []


@pytest.mark.parametrize('in_steps', [False, True])
def test_new_objects_get_no_pk_of_an_old_one_in_their_list(
    item, stored, raw, monkeypatch, in_steps
):
    """Pks are drawn anew after a reset of 6.0.3."""
    monkeypatch.setattr(sizes, 'SCRIPT_US', 1 if in_steps else sizes.SCRIPT_US)
    item.saver.save(edition(item, 1, 3))
    old = item.objects.get(2)
    raw.flushdb()
    old.n = 42
    with pytest.raises(ObjectGoneError):
        item.saver.save([old, *edition(item, 2, 3)])
    assert contents(item) == []
    stored.check()


@pytest.mark.usefixtures('small_pages')
def test_a_destroyModel_that_wakes_up_during_a_reset_spoils_nothing(
    item, proxy, stored, monkeypatch, figures
):
    """It is frozen at any step for so long that the reset takes over."""
    monkeypatch.setattr(swap, 'BLOCK', 2)
    monkeypatch.setattr(staging, 'CHUNK', 1)
    model, number, count, lost, began = over(proxy.params), BEFORE, 0, 0, 0

    def meanwhile():
        nonlocal began
        stored.end_lock()
        reset.go_on()
        began += 1

    while number <= count:
        stored.empty()
        item.saver.save(edition(item, 1, 5))
        reset = Halted(lambda self: item.reset(self.halfway(edition(item, 2, 6), 4)))
        proxy.fault(number, INTERLEAVED, meanwhile)
        try:
            model.deleter.destroyModel()
        except ResetLostError:
            lost += 1
        if number <= 0:
            count = len(proxy.commands)
            number = number + 1 if number < 0 else 3  # it has the lock by then
            continue
        if not reset.is_alive():
            break  # walks over all keys differ in length
        reset.finish()
        assert reset.error is None
        assert contents(item) == [('e2', n, 2) for n in range(6)], f'command {number}'
        stored.check()
        assert stored.kept_work_keys() == []
        number += 1
    assert began >= count - 7 > 10
    assert lost > 10
    figures('frozen in destroyModel', lost=lost, data_sets_spoiled=0)


def test_no_pk_is_used_twice(item, stored):
    item.saver.save(edition(item, 1, 3))
    old = item.objects.get(2)
    # rows, :keys, index sets, sorted sets
    assert item.deleter.destroyModel() == 3 + 1 + 3 + 1 + len(item.SORTED_FIELDS)
    item.saver.save(edition(item, 2, 3))
    assert item.objects.getPrimaryKeys(sortByAge=True) == [4, 5, 6]
    old.n = 42
    with pytest.raises(ObjectGoneError):
        old.save()
    assert contents(item) == [('e2', n, 2) for n in range(3)]
    stored.check()
