"""Processes want the same unique values, and are killed meanwhile. The rule: no two objects have
one value, and a value that nobody has is free once the dead are settled."""

from __future__ import annotations

import time

import pytest

from faults.writers.unique_jobs import EMAILS, Person
from faults.writers.workers import Worker, crew, together

SINGLE = ['insert', 'insert', 'update', 'update', 'delete', 'put', 'filtered', 'get_or_create']
LISTS = ['insert_many', 'update_many', 'update_and_insert']


@pytest.fixture
def people(watch_models):
    watch_models(Person)
    return Person


@pytest.fixture
def workers(redis_params):
    with crew(redis_params, 8) as workers:
        yield workers


def refused(jobs, workers, **enough):
    return together(workers, *jobs, seconds=2, enough={'refused': 100, 'insert': 10, **enough})


def test_writers_of_single_objects(people, workers, check, figures):
    jobs = [('want_the_same', {'ways': [*SINGLE, *LISTS]})] * 8
    counts = refused(jobs, workers, update=10, insert_many=5, update_many=2)
    figures('8 processes want 12 values', **counts)
    check()


def test_writers_in_steps_beside_single_ones(people, workers, check, figures):
    single, lists = ('want_the_same', {'ways': SINGLE}), {'ways': [*LISTS, 'delete'], 'steps': True}
    jobs = [single] * 5 + [('want_the_same', lists)] * 3
    counts = refused(jobs, workers, update_many=2, insert_many=3)
    figures('5 processes beside 3 that write in steps', **counts)
    check()


def test_writers_beside_resets(people, workers, check, figures):
    single = ('want_the_same', {'ways': [*SINGLE, *LISTS]})
    jobs = [single] * 6 + [('want_the_same', {'ways': ['reset', 'reset_changed']})] * 2
    counts = refused(jobs, workers, reset=5, reset_changed=3)
    figures('6 processes beside 2 that reset', **counts)
    check()


def test_writers_in_steps_that_are_killed(people, workers, check, raw, figures):
    lists = {'ways': [*LISTS, 'delete', 'reset'], 'steps': True, 'seconds': 5}
    killed = 0
    for _ in range(6):
        for worker in workers[:3]:
            worker.start('want_the_same', **lists)
        for worker in workers[3:]:
            worker.start('want_the_same', ways=SINGLE, seconds=0.5)
        time.sleep(0.3)
        for worker in workers[:3]:
            worker.signal()
            killed += worker.result() is None
        raw.delete('_ir_|Person:tmp:lock')
        for worker in workers[3:]:
            worker.result()
        assert people.objects.repair().ok
        check()
    assert killed == 18
    figures('writers in steps killed beside 5 others', killed=killed)
    people.objects.delete()
    people.saver.save([people(email=email) for email in EMAILS])


def test_eight_savers_of_each_value(people, workers, check):
    for worker in workers:
        worker.start('save_each', count=40, of=8)
    assert sum(worker.result() for worker in workers) == people.objects.count() == 40


def test_eight_creators_of_each_value(people, workers, check):
    for worker in workers:
        worker.start('get_or_create_each', count=40, of=8)
    assert sum(worker.result() for worker in workers) == people.objects.count() == 40


OLD = [f'e{n}' for n in range(5)]
NEW = [f'x{n}' for n in range(4)]
JOBS = {
    'swap_values': ['e1', 'e2', 'e3', 'e0', 'e4'],
    'insert_values': [*OLD, *NEW],
    'reset_values': NEW,
}


@pytest.mark.parametrize('job', JOBS)
def test_a_killed_writer_leaves_values_free(people, proxy, raw, check, job, figures):
    def run(number=0):
        raw.flushdb()
        people.saver.save([people(email=e, shop='s', sku=n) for n, e in enumerate(OLD)])
        proxy.fault(number, 'cut', worker.signal)
        worker.start(job)
        return worker.result()

    with Worker(proxy.params) as worker:
        for _ in range(2):  # the second time the server knows the scripts
            assert run() is not None
        steps = len(proxy.commands)
        for number in range(1, steps + 1):
            assert run(number) is None, 'it was not killed'
            if job != 'swap_values':  # between its steps two objects have one value
                check(pending=True)
            raw.delete('_ir_|Person:tmp:lock')
            if job == 'swap_values':
                people.objects.repair()
            # The next writer finishes what is committed; nothing else counts.
            for email in {*NEW, *OLD}:
                people.objects.getOrCreate(email=email)
            assert people.objects.count() == 9
            found = sorted(obj.email for obj in people.objects.all())
            assert found == sorted([*OLD, *NEW])
            people.objects.repair()
            check()
            assert not [key for key in raw.keys('*:tmp:*') if key.endswith(b':unique')]
    figures('killed at each request', **{job: steps})
