"""A process is suspended while it settles what a dead one left, and its lock runs out. The rule:
when it wakes up, at whatever step, it spoils nothing of whoever came meanwhile."""

from __future__ import annotations

from contextlib import suppress

import pytest

from faults.halted import BROUGHT, RANGE, Halted, leave_dead_writer
from faults.item import contents, edition, over
from faults.proxy import INTERLEAVED
from IndexedRedis import ResetInProgressError, ResetLostError
from IndexedRedis._core.bulk import redo
from IndexedRedis._core.locking import locks
from IndexedRedis._core.resets import staging, swap

KEYS = '_ir_|Item:'
NEW = [('e2', n, 2) for n in range(7)]


@pytest.fixture(autouse=True)
def small_steps(monkeypatch):
    """More steps, as with many objects; short waits for a lock that a halted thread holds."""
    monkeypatch.setattr(locks, 'WAIT_SECONDS', 0.1)
    monkeypatch.setattr(swap, 'BLOCK', 2)
    monkeypatch.setattr(staging, 'CHUNK', 1)


@pytest.fixture
def each_step(proxy, item, stored):
    """A generator: does something between any two commands of an operation."""

    def steps(prepare, act, meanwhile):
        """Yield the number of the command, which is 0 at first: nothing happens then.

        :param prepare: called before, returns what to give to `meanwhile`
        :param act: the operation; gets the model
        """
        model, count, number = over(proxy.params), 0, 0
        for _ in range(2):  # the second time the server knows the scripts
            stored.empty()
            prepare()
            proxy.watch()
            act(model)
        count, before = len(proxy.commands), proxy.happened
        for number in range(1, count + 1):
            stored.empty()
            prepared = prepare()
            proxy.fault(number, INTERLEAVED, lambda given=prepared: meanwhile(given))
            with suppress(ResetLostError, ResetInProgressError):
                act(model)
            yield number, prepared
        assert proxy.happened == before + count
        assert count > 10

    return steps


def repair(model):
    model.objects.repair()


def reset(model):
    model.reset(edition(model, 5, 3))


each_way = pytest.mark.parametrize('act', [repair, reset], ids=lambda act: act.__name__)
halts = pytest.mark.parametrize('at', ['half', 'swap'])


@pytest.fixture
def halting(monkeypatch):
    """Returns a reset that halts in the middle of its generator, or before its swap."""
    command, alive = swap._swap_command, []

    def wait(*args):
        for halted in alive:
            halted.halt()
        return command(*args)

    def make(model, objs, *at):
        halted = Halted(
            lambda self: model.reset(self.halfway(objs, 4 if 'half' in at else len(objs)))
        )
        if 'swap' in at:
            alive[:] = [halted]
        return halted

    monkeypatch.setattr(swap, '_swap_command', wait)
    return make


@each_way
@halts
def test_the_sweep_of_a_dead_writer(item, stored, raw, each_step, halting, act, at):
    """A reset stages objects under the given pks of the dead one."""
    resets = []

    def prepare():
        item.saver.save(edition(item, 1, 3))
        leave_dead_writer(raw, 'staging')

    def meanwhile(_):
        stored.end_lock()
        objs = [*edition(item, 2, 3, BROUGHT), *edition(item, 2, 3)]
        resets.append(halting(item, objs, at))
        resets[-1].go_on()

    for number, _ in each_step(prepare, act, meanwhile):
        resets[-1].finish()
        assert resets[-1].error is None, number
        assert {*contents(item)} == {('e2', n, 2) for n in range(3)}, number
        assert item.objects.count() == len(item.objects.filter(edition=2).all()) == 6
        stored.check()
        assert stored.kept_work_keys() == [], number


@each_way
@halts
def test_the_sweep_of_a_reset_that_goes_on(item, stored, raw, each_step, halting, act, at):
    """It was taken for dead, since its lock had run out."""
    done = 0

    def prepare():
        item.saver.save(edition(item, 1, 3))
        live = halting(item, edition(item, 2, 7), 'half', at)
        live.go_on()
        stored.end_lock()
        return live

    def meanwhile(live):
        stored.end_lock()
        live.go_on()

    for number, live in each_step(prepare, act, meanwhile):
        stored.check(pending=True)
        live.finish()
        assert live.error is None or isinstance(live.error, ResetLostError), number
        done += live.error is None
        stored.check(pending=True)
        stored.end_lock()
        assert {*item.objects.repair().counts} <= {'leftover'}, number
        found = contents(item)
        assert found in ([('e1', n, 1) for n in range(3)], NEW, [('e5', n, 5) for n in range(3)])
        assert live.error is None or found != NEW, number
        stored.check()
        assert stored.kept_work_keys() == [], number
    assert done


@each_way
def test_the_end_of_a_committed_write(item, stored, raw, each_step, act):
    """Its owner wakes up too, and publishes a part of what is left."""
    publish = redo.PUBLISH.of(False).text
    names = [f'{KEYS}tmp:dead:ranges', f'{KEYS}keys']

    def prepare():
        item.saver.save(edition(item, 1, 3))
        leave_dead_writer(raw, 'committed')

    def meanwhile(_):
        raw.eval(publish, 2, *names, RANGE.start, len(RANGE), 10, f'{KEYS}data:', 1)

    for number, _ in each_step(prepare, act, meanwhile):
        size = 3 if act is reset else 3 + len(RANGE)
        assert item.objects.count() == size, number
        stored.check()
        assert stored.kept_work_keys() == [], number
