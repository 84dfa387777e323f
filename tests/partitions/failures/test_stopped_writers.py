"""A flip between any two steps of a write, whose process goes on, or dies. The rule: what the write
confirms behind the flip is there, whole and once; what it did before it is gone; and the next reset
leaves nothing behind."""

from __future__ import annotations

import pytest

from IndexedRedis._core.writes import sizes
from partitions.leftovers import Store, assert_clean
from partitions.played import Played
from partitions.rows import ask, extra, extras, process, resetting

pytestmark = pytest.mark.faults
MANY = 9


def save(model, old):
    obj = extra(model)
    return obj.save, {obj.name}, set()


def save_many(model, old):
    objs = [extra(model) for _ in range(MANY)]
    return lambda: model.saver.save(objs), {obj.name for obj in objs}, set()


def save_given(model, old):
    """Under a pk that is free."""
    obj = extra(model)
    obj._id = 7_000_001
    return obj.save, {obj.name}, set()


def change(model, old):
    old.n = 5
    return old.save, None, set()


def delete(model, old):
    return old.delete, set(), {old.name}


def delete_matching(model, old):
    return lambda: model.objects.filter(edition=0).delete(), set(), {old.name}


def update_matching(model, old):
    return lambda: model.objects.filter(edition=0).update(n=5), None, set()


WRITES = [save, save_many, save_given, change, delete, delete_matching, update_matching]


@pytest.fixture(params=['scripts', 'in steps'])
def how(request, monkeypatch):
    """Whether lists are written by a script each, or in steps."""
    if request.param == 'in steps':
        monkeypatch.setattr(sizes, 'SCRIPT_US', 1)


def cut(begun, write):
    """At each step of a write: who reads, the old object, what it writes and removes, the write."""
    count = 0
    while True:
        one = begun()
        ask(one)
        old = extra(one)
        old.save()
        act, names, gone = write(one, old)
        played = Played(act)
        if not played.advance(count):
            return
        yield one, old, names, gone, played
        count += 1


@pytest.mark.usefixtures('how')
@pytest.mark.parametrize('partitions', [4, 6])
@pytest.mark.parametrize('write', WRITES, ids=lambda write: write.__name__)
def test_a_flip_goes_through(begun, raw, write, partitions):
    for one, _, names, _, played in cut(begun, write):
        before = extras(process(1))
        resetting(1, partitions, 2).finish()
        several = write in (save_many, delete_matching, update_matching)
        expected = {'ConflictError'} if several and partitions != 4 else set()
        try:
            played.finish()
        except Exception as error:
            expected |= {'ObjectGoneError'} if write is change else set()
            assert type(error).__name__ in expected, error
            before = names or set()
        assert ask(one) == ask(process(2)) == 2
        found = extras(process(2))
        # What was there before the flip is gone with its edition.
        assert found == (names or set()) - before
        rows = [row for row in assert_clean(raw).rows().values() if row[b'edition'] == b'0']
        assert len(rows) == len(found)


@pytest.mark.usefixtures('how')
@pytest.mark.parametrize('write', WRITES, ids=lambda write: write.__name__)
def test_a_flip_is_given_up(begun, raw, expire, write):
    """Its process dies when all fences are closed: the write waits, then opens them."""
    for one, old, names, gone, played in cut(begun, write):
        reset = resetting(1, 4, 2)
        reset.until(lambda text: text.startswith('commit'))
        reset.die()
        for _ in range(3):
            if not played.ended:
                played.step()
        expire()
        played.finish()
        assert ask(one) == ask(process(2)) == 1
        wanted = ({old.name} | (names or set())) - gone
        assert extras(process(2)) == wanted
        rows = [row for row in _rows(raw) if row[b'edition'] == b'0']
        assert len(rows) == len(wanted)
        if names is None:
            assert [row[b'n'] for row in rows] == [b'5']


@pytest.mark.usefixtures('how')
@pytest.mark.parametrize('write', WRITES, ids=lambda write: write.__name__)
def test_the_writer_dies(begun, raw, expire, write):
    for one, _, _, _, played in cut(begun, write):
        played.die()
        raw.delete('unused', *raw.keys('*:tmp:lock'))
        resetting(1, 4, 2).finish()
        assert ask(one) == 2
        assert extras(one) == set()
        assert_clean(raw)
    for one, _, _, _, played in cut(begun, write):
        reset = resetting(1, 4, 2)
        reset.until(lambda text: text.startswith('commit'))
        for _ in range(2):
            if not played.ended:
                played.step()
        played.die()
        reset.finish()
        resetting(2, 4, 3).finish()
        assert ask(one) == 3
        assert_clean(raw)


def _rows(raw):
    return [*Store([raw]).rows().values()]
