"""Which tests run without `--full`. The rule: each scenario once, each environment in its turn, and
of each kind that takes long some of every file."""

from __future__ import annotations

from collections import Counter
from itertools import groupby, product
from pathlib import Path
from types import SimpleNamespace

import pytest

from selection.budget import ALWAYS, Budget, shuffled
from selection.choosing import one_each, rest_of, some_of_each

ENVIRONMENTS = list(product(('redis', 'valkey'), ('sync', 'aio', 'sync, cached')))
CASES = [[number] for number in range(120)]


class Item:
    """A collected test, as far as the choice looks at it."""

    def __init__(self, number, environment, *marks, **more):
        self.nodeid = f'tests/test_x.py::test[{number}-{"-".join(environment)}-{more}]'
        names = dict(zip(('server', 'bring_client'), environment, strict=True))
        self.callspec = SimpleNamespace(params={'case': CASES[number], **names, **more})
        self.number, self.environment, self.marks = number, environment, marks

    def iter_markers(self, name=None):
        return [mark for mark in self.marks if name in (None, mark.name)]

    def get_closest_marker(self, name):
        return next(iter(self.iter_markers(name)), None)


def every_item(*marks):
    return [Item(n, each, *marks) for n in range(len(CASES)) for each in ENVIRONMENTS]


def test_each_scenario_runs_once_and_each_environment_gets_its_share():
    chosen = one_each(every_item(), seed=0)
    assert sorted(item.number for item in chosen) == list(range(len(CASES)))
    shares = Counter(item.environment for item in chosen)
    assert shares.keys() == set(ENVIRONMENTS)
    assert min(shares.values()) >= len(CASES) / len(ENVIRONMENTS) / 2


def test_as_many_seeds_as_environments_choose_all():
    items = every_item()
    assert set().union(*(one_each(items, seed) for seed in range(len(ENVIRONMENTS)))) == set(items)


def test_seeds_in_a_row_share_the_rest_among_them():
    items = every_item()
    default = one_each(items, 0)
    rest = [item for item in items if item not in default]
    assert len(rest) == len(CASES) * (len(ENVIRONMENTS) - 1)
    shares = [some_of_each(rest, seed, 2) for seed in (7, 8, 9)]
    assert {len(share) for share in shares} == {2 * len(CASES)}
    assert set().union(*shares) == set(rest)
    assert some_of_each(rest, 7, 99) == set(rest)


def test_what_is_skipped_is_chosen_only_where_all_is():
    skip = pytest.mark.skip(reason='x').mark
    items = [Item(n, each, *[skip] * (each[0] == 'redis')) for n in (0, 1) for each in ENVIRONMENTS]
    assert {item.environment[0] for item in one_each(items, 0)} == {'valkey'}
    assert len(one_each(every_item(skip), 0)) == len(CASES)


def test_a_parameter_of_which_either_value_will_do():
    either = pytest.mark.either('mode').mark
    items = [Item(0, ENVIRONMENTS[0], either, mode=mode) for mode in ('full', 'diff')]
    assert len(one_each(items, 0)) == 1
    assert one_each(items, 0) | one_each(items, 1) == set(items)


def test_cases_without_an_environment_all_run():
    """Also those whose values are one object."""
    items = [Item(0, ENVIRONMENTS[0]) for _ in range(3)]
    for number, item in enumerate(items):
        item.nodeid = f'tests/test_x.py::test[{number}]'
        item.callspec.params = {'case': CASES[0]}
    assert len(one_each(items, 0)) == 3


def test_a_default_run_and_the_rest_are_all_and_overlap_where_full_does_more():
    plain = every_item()
    deeper = every_item(pytest.mark.hypothesis.mark) + every_item(pytest.mark.faults.mark)
    deeper.append(Item(0, ENVIRONMENTS[0]))
    deeper[-1].nodeid, deeper[-1].callspec.params = 'tests/test_x.py::test_more', {}
    deeper[-1].fixturenames = ['full']
    for number, item in enumerate(deeper):
        item.nodeid = item.nodeid.replace('test[', f'test_{number // len(plain)}[')
    items = plain + deeper
    rest = rest_of(items)
    assert one_each(items, 0) | rest == set(items)
    assert rest >= set(deeper)
    assert not rest & one_each(plain, 0)


class Slow:
    """A collected test of a kind, or of none."""

    def __init__(self, path, number, *names):
        self.path, self.nodeid, self.stash = Path(path), f'{path}::test_{number}', {}
        self.marks = [getattr(pytest.mark, name).mark for name in names]

    def iter_markers(self):
        return self.marks

    def get_closest_marker(self, name):
        return next((mark for mark in self.marks if mark.name == name), None)


@pytest.mark.parametrize('seed', range(5))
def test_one_of_each_file_and_kind_runs_however_long_others_took(seed):
    plain = [Slow(f'a/{n}', n) for n in range(10)]
    faults = [Slow(f'a/{n % 3}', n, 'faults', *['skip'] * (n > 5)) for n in range(10)]
    both = [Slow('a/2', n, 'faults', 'databases') for n in range(10, 13)]
    items = [each for three in zip(plain, faults, strict=True) for each in three] + both
    ordered = shuffled(items, seed, each_file=True)
    assert set(ordered) == set(items)
    assert [place for place, item in enumerate(ordered) if item in plain] == [*range(0, 20, 2)]
    always = [item for item in ordered if ALWAYS in item.stash]
    slow = [item for item in ordered if item not in plain]
    for _, of_file in groupby(slow, key=lambda item: item.path):
        assert next(of_file) in always
    assert len([*groupby(slow, key=lambda item: item.path)]) == 3, 'files stay together'
    assert not any(item.get_closest_marker('skip') for item in always)
    assert {item.path.name for item in always} == {'0', '1', '2'}
    assert any(item.get_closest_marker('databases') for item in always)
    assert len(always) <= 4
    left = Budget(0)
    for item in always + plain:
        left.pytest_runtest_setup(item)
    for item in slow:
        if item not in always:
            with pytest.raises(pytest.skip.Exception, match='-m faults runs all'):
                left.pytest_runtest_setup(item)


@pytest.mark.parametrize('seed', range(5))
def test_or_one_of_each_folder_and_kind(seed):
    items = [
        Slow(f'{folder}/{n % 3}', n, kind)
        for folder in 'ab'
        for n, kind in enumerate(['faults', 'clusters'] * 6)
    ]
    ordered = shuffled(items, seed, each_file=False)
    always = [item for item in ordered if ALWAYS in item.stash]
    assert sorted((str(item.path.parent), item.marks[0].name) for item in always) == [
        *(('a', 'clusters'), ('a', 'faults')),
        *(('b', 'clusters'), ('b', 'faults')),
    ]
