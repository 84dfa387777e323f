"""check() and repair() while others write. The rule: what is whole is never called damaged, and
nothing that somebody has written is undone."""

from __future__ import annotations

import time

import pytest

from faults.item import contents, edition, over
from faults.writers.workers import Worker, crew, together

WRITES = ('insert', 'insert_many', 'update', 'delete', 'filtered')


def jobs(job, **how):
    """Three writers, one of whom resets, beside this job."""
    write = ('write_any', {})
    return write, write, ('reset_often', {'size': 120, **how}), (job, {})


@pytest.mark.either('keep')
@pytest.mark.parametrize('keep', [False, True])
@pytest.mark.parametrize('job', ['check', 'repair'])
def test_nothing_is_found_beside_writers_and_resets(filled, four_workers, check, job, keep):
    enough = {**dict.fromkeys(WRITES, 100), 'resets': 20, f'{job}s': 20}
    counts = together(four_workers, *jobs(f'{job}_often', keep=keep), enough=enough)
    print(dict(counts))
    assert {what: n for what, n in counts.items() if 'found' in what} == {}
    assert counts['objects'] >= 20 * 20
    check(filled)


def test_a_repair_spoils_no_write(filled, four_workers, check):
    """Each worker has objects of its own, and repairs go on all the time."""
    pks = [list(range(first, first + 10)) for first in (1, 11, 21)]
    updates = [('update', {'pks': mine}) for mine in pks]
    enough = {'saved': 600, 'repairs': 40}
    counts = together(four_workers, *updates, ('repair_often', {}), enough=enough)
    print(dict(counts))
    assert set(counts) == {'saved', 'repairs', 'objects'}
    check(filled)
    assert filled.objects.count() == 50


def test_what_is_damaged_beside_writers_is_repaired(filled, redis_params, check):
    write, reset = ('write_any', {}), ('reset_often', {'size': 120})
    with crew(redis_params, 5) as workers:
        counts = together(
            workers,
            *(write, reset, ('damage', {}), ('repair_often', {}), ('check_often', {})),
            enough={'damaged': 300, 'repairs': 10, 'checks': 10, 'resets': 20, 'update': 50},
        )
    print(dict(counts))
    assert {what: n for what, n in counts.items() if 'left' in what} == {}
    assert min(counts['found entry_stale'], counts['found entry_gone']) > 20
    assert not {w for w in counts if 'found' in w} - {
        *('found entry_stale', 'found entry_gone', 'found entry_missing'),
    }
    assert filled.objects.repair().ok
    assert filled.objects.check().counts == {}
    check(filled)


@pytest.mark.either('keep')
@pytest.mark.parametrize('keep', [False, True])
def test_what_a_killed_reset_left_is_swept(filled, proxy, stored, keep):
    """It is killed at each of its commands; `keep`: some of its objects keep their pks."""
    pks = [1, 2, 60] if keep else None
    with Worker(proxy.params) as worker:
        for _ in range(2):  # the second time the server knows the scripts
            proxy.fault(0, 'cut', worker.signal)
            worker.start('reset', size=3, pks=pks)
            assert worker.result() is not None
        left = 0
        for number in range(1, len(proxy.commands) + 1):
            filled.reset(edition(filled, 1, 4))
            proxy.fault(number, 'lost', worker.signal)
            worker.start('reset', size=3, pks=pks)
            assert worker.result() is None, 'it was not killed'
            stored.end_lock()
            before, found = contents(filled), filled.objects.check()
            assert found.counts in ({}, {'leftover': 1})
            report = filled.objects.repair()
            assert (report.ok, report.counts) == (True, found.counts)
            stored.check()
            assert stored.kept_work_keys() == []
            assert contents(filled) == before
            left += found.counts['leftover']
    print(f'{left} of {number} killed resets left something')
    assert left >= 5


@pytest.mark.either('mode')
@pytest.mark.parametrize('mode', ['cut', 'lost'])
def test_a_connection_that_breaks_spoils_no_repair(filled, proxy, stored, raw, mode):
    model, before = over(proxy.params), contents(filled)
    counts = {'row_unlisted': 1, 'entry_stale': 1, 'entry_gone': 1, 'entry_missing': 1}
    steps, number = 1, 0
    while number < steps:
        raw.sadd('_ir_|Item:idx:n:-1', 1, 900)
        raw.srem('_ir_|Item:idx:n:1', 2)
        raw.hset('_ir_|Item:data:40000', 'name', 'x')
        raw.hset('_ir_|Item:tmp:resets', 'token', 'staging')
        number += 1
        proxy.fault(number, mode)
        report = model.objects.repair()
        assert (report.ok, report.counts) == (True, {**counts, 'leftover': 1})
        steps = len(proxy.commands)
        stored.check()
        assert contents(filled) == before
    assert proxy.happened == steps > 25


@pytest.mark.damaged
def test_out_of_memory_a_check_works_and_a_repair_removes_what_it_can(new_server, raw):
    server = new_server(maxmemory_policy='noeviction')
    model = over(server.params)
    with server.client() as client:
        model.saver.save(edition(model, 1, 700))
        client.sadd('_ir_|Item:idx:n:-1', 1, 900)
        client.delete('_ir_|Item:data:5')
        client.config_set('maxmemory', 1)
        counts = {'row_missing': 1, 'entry_gone': 3, 'entry_stale': 1}
        assert model.objects.check().counts == counts
        assert model.objects.repair().repaired == counts
        assert model.objects.check().ok


@pytest.mark.damaged
def test_a_check_works_on_a_replica(server, filled, new_server, raw):
    raw.config_set('repl-diskless-sync-delay', 0)
    raw.sadd('_ir_|Item:idx:n:-1', 1)
    raw.hset('_ir_|Item:data:99', 'name', 'x')
    second = new_server(replicaof=f'{server.host} {server.port}')
    with second.client() as client:
        end = time.monotonic() + 20
        while client.info('replication')['master_link_status'] != 'up' or client.dbsize() == 0:
            assert time.monotonic() < end, 'the replica did not catch up'
            time.sleep(0.02)
    report = over(second.params).objects.check()
    assert report.counts == {'entry_stale': 1, 'row_unlisted': 1}
    assert (report.objects, report.entries) == (50, 101 + 50 * len(filled.SORTED_FIELDS))
