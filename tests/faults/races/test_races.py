"""Processes write to the same objects at the same time. The rule: whoever wins, the index sets
list exactly what is stored."""

from __future__ import annotations

from collections import Counter

import pytest
from support.keyspace import key_names

from faults.item import edition
from faults.writers.workers import crew, together

PKS = {'pks': list(range(1, 51))}
WRITES = ('insert', 'insert_many', 'update', 'delete', 'filtered')


@pytest.fixture
def eight_workers(redis_params):
    with crew(redis_params, 8) as workers:
        yield workers


def test_eight_savers_of_one_indexed_field(item, eight_workers, stored, figures):
    pks = item.reset(edition(item, 1, 200))
    jobs = [('update', {'pks': pks})] * 8
    counts = together(eight_workers, *jobs, enough={'saved': 1600})
    assert set(counts) == {'saved'}
    wrong = stored.findings()
    figures('8 processes save one indexed field of 200 objects', **counts, wrong_entries=len(wrong))
    assert wrong == []
    assert [obj._id for obj in item.objects.allByAge()] == pks
    for obj in item.objects.all():
        assert obj._id in item.objects.filter(n=obj.n).getPrimaryKeys()


def test_two_savers_and_two_deleters_of_each_object(item, four_workers, stored, figures, raw):
    """All four hold the object, then all write; 6.0.3 damaged every one of them."""
    item.reset(edition(item, 1, 400))
    for worker, way in zip(four_workers, ['saved', 'deleted'] * 2, strict=True):
        worker.start('all_at_each', way=way, count=400, of=4)
    counts = sum((Counter(worker.result()) for worker in four_workers), Counter())
    wrong = stored.findings()
    figures('2 savers and 2 deleters of each of 400 objects', **counts, wrong=len(wrong))
    assert wrong == []
    assert counts['deleted'] == 800
    assert min(counts['saved'], counts['gone']) >= 50  # before and after a delete
    assert key_names(raw, '_ir_|Item:*') == [b'_ir_|Item:next']


def test_savers_against_deleters(filled, four_workers, check):
    enough = dict.fromkeys(('saved', 'deleted', 'stored', 'gone'), 100)
    together(four_workers, *[('update', PKS), ('delete', PKS)] * 2, enough=enough)
    check(filled)


@pytest.mark.parametrize(
    'how',
    [{}, {'large': 5}, {'large': 30}, {'ahead': True}],
    ids=['all sets filled', 'all moved', 'some moved', 'pks that nobody has had'],
)
def test_writers_against_resets(filled, four_workers, check, how):
    write, reset = ('write_any', {}), ('reset_often', {'size': 120, **how})
    enough = {**dict.fromkeys(WRITES, 50), 'resets': 20, 'gone': 5}
    together(four_workers, write, write, write, reset, enough=enough)
    check(filled)
    filled.reset(edition(filled, 1, 3))
    check(filled)


def test_writers_against_resets_in_place(filled, four_workers, check):
    write, reset = ('write_any', {}), ('reset_often', {'size': 120, 'keep': True})
    enough = {**dict.fromkeys(WRITES, 50), 'resets': 20}
    together(four_workers, write, write, write, reset, enough=enough)
    check(filled)


def test_resets_against_resets(filled, four_workers, check):
    together(four_workers, *[('reset_often', {'size': 30})] * 4, enough={'resets': 40})
    found = filled.objects.all()
    assert len(found) == 30
    assert len({obj.edition for obj in found}) == 1
    check(filled)
