"""A reply, or a command, gets lost at every single step of every kind of write. The rule: the
write is tried again, by the library or by the caller on the same objects, and then everything is
stored exactly once."""

from __future__ import annotations

import pytest
from redis.exceptions import ConnectionError, TimeoutError

from faults.item import contents, edition, over
from faults.proxy import MODES
from IndexedRedis._core import replace

OLD = [('e1', 0, 1), ('e1', 1, 1), ('e1', 2, 1)]
NEW = [('e2', 0, 2), ('e2', 1, 2), ('e2', 2, 2)]


class Write:
    """One kind of write: what it is done to, how it is done (again), and what must come of it."""

    def __init__(self, model):
        self.objs = self.prepare(model)
        self.model = model

    def prepare(self, model):
        return list(model.objects.allByAge())


class Insert(Write):
    expected = [*OLD, NEW[0]]

    def prepare(self, model):
        return edition(model, 2, 1)

    def do(self):
        self.model.saver.save(self.objs)


class InsertMany(Insert):
    expected = [*OLD, *NEW]

    def prepare(self, model):
        return edition(model, 2, 3)


class InsertAndUpdate(Insert):
    expected = [*OLD[:2], ('e1', 42, 1), *NEW[:2]]

    def prepare(self, model):
        last = model.objects.last()
        last.n = 42
        return [last, *edition(model, 2, 2)]


class Update(Write):
    expected = [*OLD[:2], ('e1', 42, 1)]

    def do(self):
        self.objs[2].n = 42
        self.objs[2].save()


class Delete(Write):
    expected = OLD[:2]

    def do(self):
        self.objs[2].delete()


class DeleteMatching(Write):
    expected = OLD[1:]

    def do(self):
        self.model.objects.filter(n=0).delete()


class Reset(Write):
    expected = NEW

    def prepare(self, model):
        return edition(model, 2, 3)

    def do(self):
        self.model.reset(self.objs)


class ResetInPlace(Write):
    """The first object keeps its pk, so it has to stay the first."""

    expected = NEW

    def prepare(self, model):
        first = model.objects.first()
        return [*edition(model, 2, 1, pks=[first._id]), *edition(model, 2, 3)[1:]]

    def do(self):
        self.model.reset(self.objs)


WRITES = [Insert, InsertMany, InsertAndUpdate, Update, Delete, DeleteMatching, Reset, ResetInPlace]


@pytest.fixture
def short_lock(monkeypatch):
    monkeypatch.setattr(replace, 'LOCK_MS', 2000)


@pytest.mark.usefixtures('short_lock')
@pytest.mark.parametrize('mode', MODES)
@pytest.mark.parametrize('write', WRITES, ids=lambda write: write.__name__)
def test_what_is_tried_again_is_stored_exactly_once(item, proxy, stored, write, mode):
    model = over({**proxy.params, 'socket_timeout': 0.1})
    again = 0

    def start():
        stored.empty()
        item.reset(edition(item, 1, 3))
        return write(model)

    attempt = start()
    proxy.watch()
    attempt.do()
    steps = len(proxy.commands)
    assert contents(item) == write.expected
    for number in range(1, steps + 1):
        attempt = start()
        proxy.fault(number, mode)
        try:
            attempt.do()
        except (ConnectionError, TimeoutError):
            again += 1
            stored.check(pending=True)
            attempt.do()
        assert contents(item) == write.expected, f'command {number} of {steps}'
        stored.check(pending=True)
        item.reset([])
        stored.check()
        assert stored.kept_work_keys() == []
    assert proxy.happened == steps
    # A lost connection is tried again by the library; a time-out is the caller's affair.
    assert again == 0 if mode != 'silent' else again > 0
