"""Readers in order, beside resets and beside writers. The rule: each answer is in order, has no
object twice and is of one data set; pages lose nothing that stays where it is."""

from __future__ import annotations

import pytest

from faults.item import edition
from faults.writers.workers import together

pytestmark = pytest.mark.parametrize('sorts', ['sorted'], indirect=True)

STEPS = pytest.mark.parametrize('steps', [False, True], ids=['one step', 'several steps'])


@pytest.mark.parametrize(
    ('steps', 'keep'),
    [(False, False), (False, True), (True, True), (True, False)],
    ids=['one step, fresh pks', 'one step', 'several steps', 'several steps, fresh pks'],
)
def test_orders_and_pages_beside_resets(item, four_workers, steps, keep):
    item.reset(edition(item, 1, 60, range(1, 61)))
    read = 'read_in_order', {'size': 60, 'steps': steps, 'stays': keep}
    # A walk in steps needs pauses between resets.
    reset = 'reset_often', {'size': 60, 'keep': keep, 'rate': 20}
    counts = together(four_workers, read, read, read, reset, enough={'reads': 60, 'resets': 10})
    assert set(counts) <= {'reads', 'resets', 'milliseconds', 'conflicts'}, counts
    assert counts['conflicts'] < counts['reads']


@pytest.mark.parametrize('steps', [False, True])
def test_orders_beside_writers(item, four_workers, steps):
    """Objects come, go and move; each answer is in order."""
    item.reset(edition(item, 1, 60, range(1, 61)))
    read = 'read_in_order', {'steps': steps}
    write = 'write_beside', {'pks': list(range(1, 61))}
    enough = {'reads': 60, 'moved': 50, 'inserted': 20, 'deleted': 20}
    counts = together(four_workers, read, read, write, write, enough=enough)
    assert set(counts) <= {'reads', 'moved', 'inserted', 'deleted', 'conflicts'}, counts


@STEPS
def test_pages_beside_writers_lose_nothing_that_stays(item, four_workers, steps):
    item.reset(edition(item, 1, 90, range(1, 91)))
    read = 'page_beside', {'size': 60, 'steps': steps}
    write = 'write_beside', {'pks': list(range(61, 91))}
    enough = {'reads': 30, 'moved': 50, 'inserted': 20, 'deleted': 20}
    counts = together(four_workers, read, read, write, write, enough=enough)
    assert set(counts) <= {'reads', 'moved', 'inserted', 'deleted'}, counts
