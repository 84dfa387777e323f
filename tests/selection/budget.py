"""Kinds of tests that take long, and how much time a run gives each. The rule: a run of everything
ends in time however many such tests there are, meets each folder that has some (with `--full` each
file), and says what it left out.

    @pytest.mark.clusters
    def test_a_slot_that_moves(): ...
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator

import pytest

KINDS = {
    'faults': 'writers that are killed, replies that are lost, servers that stop',
    'databases': 'MariaDB and PostgreSQL, where they are installed',
    'mirrors': 'mirrors of the whole catalogue beside a reader',
    'clusters': 'several servers that make up one',
    'browser': 'pages in a real browser',
    'histories': 'random histories against a model of what must be stored',
    'large': 'calls with very many objects, and values near the limits of a server',
    'programs': 'programs in processes of their own: the demo, examples, benchmarks, pages',
}
# What a run of everything gives each kind if nothing else is said.
DEFAULT_SECONDS = 1
# Of a test that runs whether there is time left or not.
ALWAYS = pytest.StashKey[bool]()


def seconds(config: pytest.Config) -> float | None:
    """Return the budget of each kind in this run; None if it has none.

    Tests that were asked for by a path, by ``-k`` or by ``-m`` all run, as do those of ``--full``.
    """
    given: float | None = config.getoption('--budget')
    if given is not None:
        return given
    asked_for = config.getoption('-k') or config.getoption('-m') or config.getoption('--full')
    everything = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    return DEFAULT_SECONDS if everything and not asked_for else None


def kinds_of(item: pytest.Item) -> list[str]:
    """Return the kinds that a test is of."""
    names = {mark.name for mark in item.iter_markers()}
    return [kind for kind in KINDS if kind in names]


def shuffled(items: list[pytest.Item], seed: int, each_file: bool) -> list[pytest.Item]:
    """Return the tests with those of kinds in an order that depends on the seed.

    So that other seeds reach other tests before the time is over. The tests of a file stay
    together: what they share is made once. One test of each folder and kind comes before the others
    of its file, and runs in any case. All tests of no kind keep their place.

    :param each_file: have one test of each file and kind run in any case
    """

    def chance(text: str) -> int:
        return zlib.crc32(f'{seed} {text}'.encode())

    places = [place for place, item in enumerate(items) if kinds_of(item)]
    slow = [items[place] for place in places]
    slow.sort(key=lambda item: chance(item.nodeid))
    met = set()
    for item in slow:
        place = item.path if each_file else item.path.parent
        of = {(place, kind) for kind in kinds_of(item)}
        if not of <= met and not item.get_closest_marker('skip'):
            item.stash[ALWAYS] = True
            met |= of
    slow.sort(key=lambda item: (chance(file_of(item)), ALWAYS not in item.stash))
    result = items[:]
    for place, item in zip(places, slow, strict=True):
        result[place] = item
    return result


def file_of(item: pytest.Item) -> str:
    """Return the path of a test's file, which is the same on each machine."""
    return item.nodeid.partition('::')[0]


class Budget:
    """A plugin of pytest that skips the tests of a kind once its time is over, but for those that
    always run.

    With pytest-xdist each worker has a budget: it bounds how long the run takes.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._spent = dict.fromkeys(KINDS, 0.0)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        for kind in () if ALWAYS in item.stash else kinds_of(item):
            if self._spent[kind] >= self._seconds:
                pytest.skip(
                    f'{kind}: the {self._seconds:g} s of this run are spent; '
                    f'pytest --full -m {kind} runs all'
                )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        began = time.monotonic()
        try:
            return (yield)
        finally:
            for kind in kinds_of(item):
                self._spent[kind] += time.monotonic() - began
