"""A reply, or a command, gets lost at every single step of every kind of write. The rule: the
write is tried again, by the library or by the caller on the same objects, and then everything is
stored exactly once."""

from __future__ import annotations

from contextlib import suppress

import pytest
from redis.exceptions import ConnectionError, TimeoutError

from faults.item import contents, edition, over
from faults.proxy import MODES
from faults.writes import NEW, WRITES, Insert, InsertMany, ResetChanged
from IndexedRedis._core.locking import locks


def works(attempt):
    """Whether it worked, or has to be tried again."""
    try:
        attempt.do()
    except (ConnectionError, TimeoutError):
        return False
    return True


@pytest.fixture
def short_lock(monkeypatch):
    monkeypatch.setattr(locks, 'LOCK_MS', 2000)


@pytest.mark.usefixtures('short_lock')
@pytest.mark.parametrize('mode', MODES)
@pytest.mark.parametrize('write', WRITES, ids=lambda write: write.__name__)
def test_what_is_tried_again_is_stored_exactly_once(item, proxy, stored, write, mode):
    model = over({**proxy.params, 'socket_timeout': 0.06 if mode == 'silent' else 5})
    again = 0

    def start():
        stored.empty()
        item.reset(edition(item, 1, 3))
        while True:
            with suppress(TimeoutError):  # the short one, on a busy machine
                return write(model)

    for _ in range(2):  # the second time the server knows the scripts
        attempt = start()
        proxy.watch()
        assert works(attempt)
    steps = len(proxy.commands)
    assert contents(item) == write.expected
    for number in range(1, steps + 1):
        attempt = start()
        proxy.fault(number, mode)
        while not works(attempt):
            again += 1
            stored.check(pending=True)
        assert contents(item) == write.expected, f'command {number} of {steps}'
        assert attempt.links_are_right()
        stored.check(pending=True)
        for each in (item, *write.others):
            each.reset([])
        stored.check()
        assert stored.kept_work_keys() == []
    assert proxy.happened == steps
    # A lost connection is tried again by the library; a time-out is the caller's affair.
    assert again == 0 if mode != 'silent' else again > 0


def change(item):
    obj = item.objects.last()
    obj.n = 5000
    obj.save()


def replace_all(item):
    item.reset(edition(item, 3, 4))


@pytest.mark.parametrize('write', [Insert, InsertMany], ids=lambda write: write.__name__)
@pytest.mark.parametrize('others', [change, replace_all], ids=lambda action: action.__name__)
def test_what_others_do_before_a_lost_insert_is_repeated_stays(item, proxy, stored, write, others):
    model = over(proxy.params)
    item.reset(edition(item, 1, 3))
    write(model).do()  # now the server knows the scripts
    item.reset(edition(item, 1, 3))
    attempt = write(model)
    proxy.watch()
    attempt.do()
    proxy.fault(len(proxy.commands), 'lost', lambda: others(item))
    item.reset(edition(item, 1, 3))
    attempt = write(model)
    attempt.do()
    assert proxy.happened == 1
    stored.check()
    found = contents(item)
    if others is change:
        assert len(found) == len(write.expected)
        assert [row for row in found if row[1] == 5000] == [(*NEW[0][:1], 5000, 2)]
    else:
        # The insert, repeated, belongs to the new data set, as if it had come after the reset.
        assert [row for row in found if row[2] == 3] == [('e3', n, 3) for n in range(4)]
        assert [row for row in found if row[2] == 2] == write.expected[3:]


def test_what_others_do_before_a_lost_resetChanged_is_repeated_stays(item, proxy, stored):
    """They delete one object that it has stored, and change another."""
    model, acted = over(proxy.params), 0

    def act():
        nonlocal acted
        for obj in item.objects.filter(n=2, edition=2).all():
            item.objects.filter(n=4).delete()
            obj.name = 'changed'
            obj.save()
            acted += 1

    def attempt(number=0):
        stored.empty()
        item.reset(edition(item, 1, 3))
        write = ResetChanged(model)
        proxy.fault(number, 'lost', act)
        write.do()

    for _ in range(2):  # the second time the server knows the scripts
        attempt()
    steps = len(proxy.commands)
    for number in range(1, steps + 1):
        before = acted
        attempt(number)
        changed = [('e1', 1, 1), ('changed', 2, 2), ('e2', 3, 2)]
        assert contents(item) == (changed if acted > before else ResetChanged.expected)
        stored.check()
    assert proxy.happened == steps
    assert steps > acted >= 2
