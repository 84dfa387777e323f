"""Processes write to the same objects at the same time. The rule: whoever wins, the index sets
list exactly what is stored."""

from __future__ import annotations

from faults.item import edition
from faults.workers import together

PKS = {'pks': list(range(1, 51))}
WRITES = ('insert', 'insert_many', 'update', 'delete', 'filtered')


def test_savers_of_one_indexed_field(filled, four_workers, check):
    counts = together(four_workers, *[('update', PKS)] * 4, enough={'saved': 1600})
    assert set(counts) == {'saved'}
    check(filled)
    assert sorted(obj._id for obj in filled.objects.all()) == PKS['pks']
    for obj in filled.objects.all():
        assert obj._id in filled.objects.filter(n=obj.n).getPrimaryKeys()


def test_savers_against_deleters(filled, four_workers, check):
    enough = dict.fromkeys(('saved', 'deleted', 'stored', 'gone'), 100)
    together(four_workers, *[('update', PKS), ('delete', PKS)] * 2, enough=enough)
    check(filled)


def test_writers_against_resets(filled, four_workers, check):
    write, reset = ('write_any', {}), ('reset_often', {'size': 120})
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
