"""Which of the collected tests run, and how often. The rule: each scenario runs in one of its
environments, and each environment gets its share of the scenarios; with `--full` each scenario runs
in all of them.

An environment is the kind of server, the executor, the database, and whether a model has sorted
fields. A test may name further
parameters whose values are much alike:

    @pytest.mark.either('mode')
    @pytest.mark.parametrize('mode', ['full', 'diff'])
    @pytest.mark.parametrize('at', ['Artist', 'Track'])
    def test_the_source_breaks(at, mode): ...  # two of the four run without `--full`
"""

from __future__ import annotations

import zlib
from collections.abc import Hashable, Iterable

import hypothesis
import pytest

from selection import budget

ENVIRONMENT = ('server', 'bring_client', 'sql', 'sorts')


def one_each(items: Iterable[pytest.Item], seed: int) -> set[pytest.Item]:
    """Return one test of each scenario.

    The choice depends on the ids of the tests and on the seed only, so that it is the same in each
    run and in each process. As many seeds in a row as there are environments choose all tests.
    """
    return some_of_each(items, seed, 1)


def some_of_each(items: Iterable[pytest.Item], seed: int, count: int) -> set[pytest.Item]:
    """Return so many tests of each scenario, or all where there are fewer.

    The next seed chooses the next ones.
    """
    scenarios: dict[Hashable, list[pytest.Item]] = {}
    for item in items:
        scenarios.setdefault(_scenario(item), []).append(item)
    return {test for tests in scenarios.values() for test in _chosen(tests, seed, count)}


def rest_of(items: Iterable[pytest.Item]) -> set[pytest.Item]:
    """Return the tests that a default run leaves out, may skip, or does with fewer examples."""
    items = [*items]
    return {*items} - {item for item in one_each(items, 0) if not _does_more(item)}


def load_examples(full: bool) -> None:
    """Have hypothesis try 100 examples of what a test is given, or 20 without ``--full``.

    A server answers when it answers: time limits of single examples only make tests flaky.
    """
    name = 'full' if full else 'one environment'
    hypothesis.settings.register_profile(name, deadline=None, max_examples=100 if full else 20)
    hypothesis.settings.load_profile(name)


def examples(full: int) -> int:
    """Return how many examples a test takes that takes so many with ``--full``."""
    return full * hypothesis.settings.default.max_examples // 100


def _does_more(item: pytest.Item) -> bool:
    """Whether `--full` has a test try more, or gives it more time."""
    more = item.get_closest_marker('hypothesis') or 'full' in getattr(item, 'fixturenames', ())
    return bool(more or budget.kinds_of(item))


def _scenario(item: pytest.Item) -> Hashable:
    """The test function and its arguments but for the environment."""
    params = item.callspec.params if hasattr(item, 'callspec') else {}
    alike = {*ENVIRONMENT, *(name for mark in item.iter_markers('either') for name in mark.args)}
    if not alike & params.keys():
        return item.nodeid
    # Values need not be hashable; those of one case are the same objects in each environment.
    case = frozenset((name, id(value)) for name, value in params.items() if name not in alike)
    return item.nodeid.partition('[')[0], case


def _chosen(tests: list[pytest.Item], seed: int, count: int) -> list[pytest.Item]:
    runnable = [test for test in tests if not test.get_closest_marker('skip')] or tests
    start = zlib.crc32(min(test.nodeid for test in runnable).encode()) + seed * count
    size = len(runnable)
    return [runnable[(start + place) % size] for place in range(min(count, size))]
