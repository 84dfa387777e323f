"""Processes write to the same objects at the same time. The rule: whoever wins, the index sets
list exactly what is stored."""

from __future__ import annotations

from collections import Counter

from faults.item import edition
from faults.workers import together

PKS = list(range(1, 51))


def sums(counts):
    return sum(map(Counter, counts), Counter())


def test_savers_of_one_indexed_field(filled, four_workers, check):
    job = 'update', {'pks': PKS, 'seconds': 2}
    counts = sums(together(four_workers, *[job] * 4))
    assert counts['saved'] > 800
    assert set(counts) == {'saved'}
    check(filled)
    assert filled.objects.count() == 50
    for obj in filled.objects.all():
        assert [same._id for same in filled.objects.filter(n=obj.n).all()].count(obj._id) == 1


def test_savers_against_deleters(filled, four_workers, check):
    save, delete = ('update', {'pks': PKS, 'seconds': 2}), ('delete', {'pks': PKS, 'seconds': 2})
    counts = sums(together(four_workers, save, save, delete, delete))
    for what in ('saved', 'deleted', 'stored', 'gone'):
        assert counts[what] > 20, counts
    check(filled)


def test_writers_against_resets(filled, four_workers, check):
    write = 'write_any', {'seconds': 3}
    resets = 'reset_often', {'size': 120, 'seconds': 2.5}
    counts = sums(together(four_workers, write, write, write, resets))
    for what in ('insert', 'insert_many', 'update', 'delete', 'filtered', 'resets', 'gone'):
        assert counts[what] > 5, counts
    check(filled)
    filled.reset(edition(filled, 1, 3))
    check(filled)


def test_writers_against_resets_in_place(filled, four_workers, check):
    write = 'write_any', {'seconds': 3}
    resets = 'reset_often', {'size': 120, 'seconds': 2.5, 'keep': True}
    counts = sums(together(four_workers, write, write, write, resets))
    for what in ('insert', 'insert_many', 'update', 'delete', 'filtered', 'resets'):
        assert counts[what] > 5, counts
    check(filled)


def test_resets_against_resets(filled, four_workers, check):
    job = 'reset_often', {'size': 30, 'seconds': 2}
    counts = sums(together(four_workers, *[job] * 4))
    assert counts['resets'] > 20
    assert filled.objects.count() == 30
    assert len({obj.edition for obj in filled.objects.all()}) == 1
    check(filled)
