"""A process is killed -9 at every single command of a bulk save and of a reset. The rule: others
find all of it or nothing, and the next reset takes away whatever it left."""

from __future__ import annotations

import signal
import time

import pytest

from faults.item import contents, edition
from faults.workers import Worker

OLD = [('e1', n, 1) for n in range(4)]
JOBS = {
    'insert_many': ({'size': 3}, [*OLD, *(('e2', n, 2) for n in range(3))]),
    'reset': ({'size': 3}, [('e2', n, 2) for n in range(3)]),
    'reset in place': (
        {'size': 3, 'pks': [1, 2, 9]},
        [('e2', n, 2) for n in range(3)],
    ),
}


@pytest.fixture
def worker(proxy):
    with Worker(proxy.params) as worker:
        yield worker


@pytest.mark.parametrize('case', [(job, mode) for job in JOBS for mode in ('cut', 'lost')], ids=str)
def test_a_killed_writer_leaves_all_or_nothing(item, proxy, worker, stored, case):
    job, mode = case
    args, new = JOBS[job]

    def run(number=0):
        stored.empty()
        item.saver.save(edition(item, 1, 4))
        proxy.fault(number, mode, worker.signal)
        worker.start(job.split()[0], **args)
        return worker.result()

    assert run() is not None
    steps = len(proxy.commands)
    assert contents(item) == new
    found = {'old': 0, 'new': 0}
    for number in range(1, steps + 1):
        assert run(number) is None, 'it was not killed'
        found['new' if contents(item) == new else 'old'] += 1
        assert contents(item) in (OLD, new), f'command {number} of {steps}'
        stored.check(pending=True)
        stored.end_lock()
        item.reset(edition(item, 3, 2))
        assert contents(item) == [('e3', 0, 3), ('e3', 1, 3)]
        stored.check()
        assert stored.kept_work_keys() == []
    assert proxy.happened == steps
    assert found['old'] > 3
    assert found['new'] > 0


def test_the_lock_of_a_killed_reset_holds_up_the_next_one_only_for_a_while(
    filled, proxy, worker, raw
):
    proxy.fault(20, 'cut', worker.signal)
    worker.start('reset', size=600)
    assert worker.result() is None
    assert raw.pttl('_ir_|Item:tmp:lock') > 0
    raw.pexpire('_ir_|Item:tmp:lock', 300)
    began = time.monotonic()
    filled.reset(edition(filled, 3, 2))
    assert 0.1 < time.monotonic() - began < 10
    assert filled.objects.count() == 2


def test_a_frozen_reset_that_wakes_up_too_late_changes_nothing(filled, proxy, worker, stored):
    """SIGSTOP in the middle, the lock runs out, another reset works, SIGCONT."""
    proxy.fault(20, 'cut', lambda: worker.signal(signal.SIGSTOP))
    worker.start('reset', size=600)
    while not proxy.happened:
        time.sleep(0.001)
    stored.end_lock()
    filled.reset(edition(filled, 3, 2))
    worker.signal(signal.SIGCONT)
    with pytest.raises(AssertionError, match='ResetLostError'):
        worker.result()
    assert contents(filled) == [('e3', 0, 3), ('e3', 1, 3)]
    stored.check()
