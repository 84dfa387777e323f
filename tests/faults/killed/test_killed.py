"""A process is killed -9 at every single command of every operation that writes. The rule: others
find all of it or nothing, and the next reset takes away whatever it left."""

from __future__ import annotations

import signal
import time
from collections import Counter
from unittest.mock import patch

import pytest
from support.keyspace import but_counters

from faults.item import contents, edition
from faults.proxy import INTERLEAVED
from faults.writers.workers import Worker
from IndexedRedis._core.writes import sizes

OLD = [('e1', n, 1) for n in range(4)]
NEW = [('e2', n, 2) for n in range(3)]
JOBS = {
    'insert': ({}, [*OLD, NEW[0]]),
    'insert_many': ({'size': 3}, [*OLD, *NEW]),
    'insert_very_many': ({'size': 3}, [*OLD, *NEW]),
    'update_many': ({}, [('e1', 42, 1)] * 4),
    'cascade': ({'size': 3}, [*OLD, *NEW]),
    'delete_matching': ({}, []),
    'delete_many': ({}, OLD[3:]),
    'delete_many_by_pks': ({}, OLD[3:]),
    'reset': ({'size': 3}, NEW),
    'reset of free pks': ({'size': 3, 'pks': [9, 11, 12]}, NEW),
    'reset_moving': ({'size': 3}, NEW),
    'reset in place': ({'size': 3, 'pks': [1, 2, 9]}, NEW),
    'reset_from_generator': ({'size': 3}, NEW),
    'reset_many': ({'size': 3}, NEW),
    'reset_changed': ({'size': 3}, NEW),
}


def cut_or_lost(test):
    """The process is killed before the command arrives, or when it is done: one by default."""
    modes = pytest.mark.parametrize('mode', ['cut', 'lost'])
    return pytest.mark.either('mode')(modes(test))


@pytest.fixture
def worker(proxy):
    with Worker(proxy.params) as worker:
        yield worker


@pytest.fixture
def running(item, proxy, worker, stored):
    """Gives what runs a job beside stored objects, and kills it at a request (0: at none)."""

    def job(name, mode, beside, /, **args):
        def run(number=0):
            stored.empty()
            item.saver.save(edition(item, 1, beside))
            proxy.fault(number, mode, worker.signal)
            worker.start(name, **args)
            return worker.result()

        return run

    return job


@cut_or_lost
@pytest.mark.parametrize('job', JOBS)
def test_a_killed_writer_leaves_all_or_nothing(
    item, boxes, proxy, worker, stored, job, mode, figures
):
    args, new = JOBS[job]

    def run(number=0):
        stored.empty()
        item.saver.save(edition(item, 1, 4))
        proxy.fault(number, mode, worker.signal)
        worker.start(job.split()[0], **args)
        return worker.result()

    for _ in range(2):  # the second time the server knows the scripts
        assert run() is not None
    steps = len(proxy.commands)
    assert contents(item) == new
    found = {'old': 0, 'new': 0}
    for number in range(1, steps + 1):
        assert run(number) is None, 'it was not killed'
        found['new' if contents(item) == new else 'old'] += 1
        assert contents(item) in (OLD, new), f'command {number} of {steps}'
        if job in ('cascade', 'reset_many'):
            linked = [obj._id for each in boxes.objects.all() for obj in each.items]
            assert linked == ([5, 6, 7] if contents(item) == new else [])
        stored.check(pending=True)
        stored.end_lock()
        item.reset(edition(item, 3, 2))
        if job == 'reset_many':
            boxes.reset([])
        assert contents(item) == [('e3', 0, 3), ('e3', 1, 3)]
        stored.check()
        assert stored.kept_work_keys() == []
    assert proxy.happened == steps
    assert found['old'] >= (3 if job.startswith('reset') else 1 if mode == 'cut' else 0)
    assert found['new'] > (0 if mode == 'lost' else -1)
    figures('killed at each request', **{job: steps})


STEPS = {
    'insert_in_steps': ({'size': 5}, [*OLD, *(('e2', n, 2) for n in range(5))]),
    'update_in_steps': ({}, [('e1', 42, 1)] * 4),
    'delete_in_steps': ({}, OLD[3:]),
    'cascade_in_steps': ({'size': 2}, [*[('e1', 42, 1)] * 4, *NEW[:2]]),
}


def next_writer(item):
    obj = item.objects.get(4)
    obj.name = 'changed'
    obj.save()
    obj.name = 'e1'
    obj.save()


def save_in_steps(item):
    with patch.object(sizes, 'SCRIPT_US', 2):
        item.saver.save(edition(item, 3, 3))


FINISHERS = {
    'repair': lambda item: item.objects.repair(),
    'the next writer': next_writer,
    'a save of many': save_in_steps,
}


@cut_or_lost
@pytest.mark.parametrize('finisher', FINISHERS)
@pytest.mark.parametrize('job', STEPS)
def test_a_writer_killed_between_steps_is_finished_by_others(
    item, running, proxy, stored, boxes, job, finisher, mode, figures
):
    """Each row is whole at every moment, and in the end all are written or none."""
    args, new = STEPS[job]
    run = running(job, mode, 4, **args)
    for _ in range(2):  # the second time the server knows the scripts
        assert run() is not None
    steps, found = len(proxy.commands), Counter()
    assert contents(item) == new
    for number in range(1, steps + 1):
        assert run(number) is None, 'it was not killed'
        seen = contents(item)
        assert {*seen} <= {*OLD, *new}
        stored.check(pending=True)
        stored.end_lock()
        boxes.objects.repair()
        FINISHERS[finisher](item)
        left = [row for row in contents(item) if row[0] != 'e3']
        assert left in (OLD, new), f'command {number} of {steps}'
        found['new' if left == new else 'old'] += 1
        found['between'] += seen not in (OLD, new)
        item.objects.repair()
        stored.check()
        assert stored.kept_work_keys() == []
    assert proxy.happened == steps
    assert min(found['new'], found['old']) > 2
    assert found['between'] > 0
    figures('killed between steps', **{f'{job}, {finisher}': steps})


@cut_or_lost
def test_a_killed_save_of_a_generator_leaves_whole_blocks(
    item, proxy, running, stored, mode, figures
):
    run = running('save_from_generator', mode, 4, size=6)
    for _ in range(2):  # the second time the server knows the scripts
        assert run() == [5, 6, 7, 8, 9, 10]
    steps, found = len(proxy.commands), Counter()
    for number in range(1, steps + 1):
        assert run(number) is None, 'it was not killed'
        new = contents(item)[4:]
        assert contents(item)[:4] == OLD
        assert new == [('e2', n, 2) for n in range(len(new))]
        found[len(new)] += 1
        stored.check()
    assert proxy.happened == steps >= 6
    assert set(found) == ({0, 2, 4} if mode == 'cut' else {0, 2, 4, 6})
    figures('killed at each request', save_from_generator=steps)


@cut_or_lost
def test_a_killed_filtered_delete_leaves_whole_chunks(item, proxy, running, stored, mode, figures):
    run = running('delete_in_chunks', mode, 7)
    whole = [('e1', n, 1) for n in range(7)]
    for _ in range(2):  # the second time the server knows the scripts
        assert run() == 7
    steps, found = len(proxy.commands), Counter()
    for number in range(1, steps + 1):
        assert run(number) is None, 'it was not killed'
        left = contents(item)
        assert left == whole[7 - len(left) :]
        found[len(left)] += 1
        stored.check()
    assert proxy.happened == steps >= 9  # the pks; of each chunk the rows and the end
    assert set(found) - {0} == {7, 5, 3, 1}
    figures('killed at each request', delete_in_chunks=steps)


@cut_or_lost
def test_a_killed_destroyModel_is_finished_by_the_next_one(
    item, proxy, running, stored, raw, mode, figures
):
    """Readers see all objects or none."""

    run = running('destroy', mode, 4)
    for _ in range(2):  # the second time the server knows the scripts
        # :keys, four rows, five index sets, sorted sets
        assert run() == 10 + len(item.SORTED_FIELDS)
    steps, found = len(proxy.commands), Counter()
    for number in range(1, steps + 1):
        assert run(number) is None, 'it was not killed'
        found[len(contents(item))] += 1
        stored.end_lock()
        item.deleter.destroyModel()
        assert but_counters(raw) == []
    assert proxy.happened == steps > 1
    assert set(found) == {0, 4}
    figures('killed at each request', destroyModel=steps)


@cut_or_lost
def test_a_killed_reindex_is_finished_by_the_next_one(
    item, proxy, worker, stored, raw, mode, figures
):
    def run(number=0):
        stored.empty()
        item.saver.save(edition(item, 1, 4))
        raw.delete('_ir_|Item:idx:n:2', '_ir_|Item:idx:edition:1')
        proxy.fault(number, mode, worker.signal)
        worker.start('reindex')
        return worker.result()

    for _ in range(2):  # the second time the server knows the scripts
        assert run() == 4
    steps, mended = len(proxy.commands), 0
    for number in range(1, steps + 1):
        assert run(number) is None, 'it was not killed'
        assert contents(item) == OLD
        mended += stored.findings() == []
        assert all('is missing from' in finding for finding in stored.findings())
        item.objects.reindex()
        stored.check()
    assert proxy.happened == steps > 1
    assert mended == (1 if mode == 'lost' else 0)
    figures('killed at each request', reindex=steps)


def test_the_lock_of_a_killed_reset_holds_up_the_next_one_only_for_a_while(
    filled, proxy, worker, raw
):
    proxy.fault(20, 'cut', worker.signal)
    worker.start('reset', size=600)
    assert worker.result() is None
    assert raw.pttl('_ir_|Item:tmp:lock') > 0
    began = time.monotonic()
    raw.pexpire('_ir_|Item:tmp:lock', 300)
    filled.reset(edition(filled, 3, 2))
    assert time.monotonic() - began > 0.25, 'it did not wait for the lock'
    assert filled.objects.count() == 2


@pytest.mark.parametrize('size', [0, 3])
def test_a_reset_frozen_at_any_step_that_wakes_up_too_late_spoils_nothing(
    item, proxy, worker, stored, size
):
    """SIGSTOP, the lock runs out, another reset works, SIGCONT; what it sent last arrives then."""
    mine, others = [('e2', n, 2) for n in range(size)], [('e3', 0, 3), ('e3', 1, 3)]

    def frozen_meanwhile():
        worker.signal(signal.SIGSTOP)
        stored.end_lock()
        item.reset(edition(item, 3, 2))
        worker.signal(signal.SIGCONT)

    def run(number=0):
        stored.empty()
        item.saver.save(edition(item, 1, 4))
        proxy.fault(number, INTERLEAVED, frozen_meanwhile)
        worker.start('reset', size=size)

    for _ in range(2):  # the second time the server knows the scripts
        run()
        assert worker.result() is not None
    steps, lost = len(proxy.commands), 0
    for number in range(1, steps + 1):
        run(number)
        outcome = worker.outcome()
        assert outcome['error'] is None or 'ResetLostError' in outcome['error']
        # Frozen before it had the lock, or after its swap, it has worked, later or earlier.
        lost += outcome['error'] is not None
        assert contents(item) == others or (number < 5 and contents(item) == mine)
        item.reset(edition(item, 4, 1))
        stored.check()
        assert stored.kept_work_keys() == []
    assert proxy.happened == steps
    assert lost >= 4
