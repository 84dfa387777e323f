"""Readers during resets. The rule: each answer is the whole old data set or the whole new one,
however it is read and however large it is."""

from __future__ import annotations

import pytest

from faults.item import edition, reset_family
from faults.writers.workers import crew, together


@pytest.mark.parametrize(
    'how',
    [
        *({}, {'large': 5}, {'large': 20}, {'keep': True}, {'ahead': True}),
        pytest.param({'remembered': 50}, marks=pytest.mark.telling),
        pytest.param({'remembered': 50, 'keep': True}, marks=pytest.mark.telling),
    ],
    ids=[
        *('fresh pks', 'all moved', 'some moved', 'the same pks', 'pks that nobody has had'),
        *('fresh pks, remembered', 'the same pks, remembered'),
    ],
)
@pytest.mark.either('size')
@pytest.mark.parametrize('size', [60, 400], ids=['one trip', 'chunks'])
def test_readers_see_one_edition(item, four_workers, size, how):
    item.reset(edition(item, 1, size, range(1, size + 1)))
    of_reader = {name: how.get(name, 0) for name in ('large', 'remembered')}
    of_resetter = {name: how[name] for name in how if name != 'remembered'}
    read = 'read', {'size': size, **of_reader}
    reset = 'reset_often', {'size': size, **of_resetter}
    counts = together(four_workers, read, read, read, reset, enough={'reads': 400, 'resets': 25})
    assert set(counts) == {'reads', 'resets', 'milliseconds'}, counts


@pytest.mark.parametrize('sorts', ['sorted'], indirect=True)
@pytest.mark.parametrize('keep', [False, True], ids=['fresh pks', 'the same pks'])
def test_sorted_sets_change_in_the_moment_of_the_swap(item, four_workers, keep):
    item.reset(edition(item, 1, 60, range(1, 61)))
    read, reset = ('read_sorted', {}), ('reset_often', {'size': 60, 'keep': keep})
    counts = together(four_workers, read, read, read, reset, enough={'reads': 400, 'resets': 25})
    assert set(counts) == {'reads', 'resets', 'milliseconds'}, counts


def test_four_readers_during_thirty_resets_a_second(item, redis_params, figures, full):
    """Two seconds' worth of resets, or more time where the machine is too busy for that many; with
    `--full` ten."""
    enough = {'reads': 2000, 'resets': 290} if full else {'reads': 400, 'resets': 58}
    item.reset(edition(item, 1, 60))
    jobs = [('read', {'size': 60})] * 4 + [('reset_often', {'size': 60, 'rate': 30})]
    with crew(redis_params, 5) as workers:
        counts = together(workers, *jobs, enough=enough, seconds=2)
    seconds = counts.pop('milliseconds') / 1000
    wrong = counts.total() - counts['reads'] - counts['resets']
    figures(
        '4 readers',
        reads=counts['reads'],
        resets=counts['resets'],
        resets_a_second=round(counts['resets'] / seconds),
        wrong_answers=wrong,
    )
    assert wrong == 0, counts


def test_two_models_reset_together_by_two_who_name_them_in_opposite_order(
    item, boxes, redis_params, figures
):
    """Nobody waits for ever, and links never lead to another edition."""
    reset_family(1, 20)
    orders = [(1000, False), (500_000, True)]
    jobs = [('read_families', {'size': 20})] * 2
    jobs += [
        ('reset_families', {'size': 20, 'first': first, 'items_first': order})
        for first, order in orders
    ]
    enough = {'reads': 200, 'resets': 30, 'links right': 1000}
    with crew(redis_params, 4) as workers:
        counts = together(workers, *jobs, enough=enough)
    figures('links during resets of two models', **counts)
    assert counts['links wrong'] == 0
    (only,) = boxes.objects.all()
    assert [obj._id for obj in only.items] == item.objects.getPrimaryKeys(True)
    assert {obj.name for obj in item.objects.all()} == {only.name}
