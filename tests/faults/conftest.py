"""What the fault tests share: the model, judged at the end, and a proxy before the server."""

from __future__ import annotations

import contextlib

import pytest

from faults.failover import Pair
from faults.item import Box, Item, edition
from faults.proxy import Proxy
from faults.writers.workers import crew


def pytest_itemcollected(item):
    item.add_marker('faults')


def pytest_generate_tests(metafunc):
    marks = metafunc.definition.iter_markers('parametrize')
    if 'sorts' in metafunc.fixturenames and 'sorts' not in [mark.args[0] for mark in marks]:
        metafunc.parametrize('sorts', ['plain', 'sorted'], indirect=True)


@pytest.fixture
def sorts(request):
    """Has the model keep its fields in sorted sets, or not, here and in the workers.

    It comes before what judges the data at the end of a test.
    """
    Item.SORTED_FIELDS = ['name', 'n', 'edition'] if request.param == 'sorted' else []
    yield
    Item.SORTED_FIELDS = []


@pytest.fixture
def item(sorts, watch_models):
    """The model, over a healthy connection, empty."""
    watch_models(Item)
    return Item


@pytest.fixture
def boxes(watch_models):
    """The model that links to items, empty."""
    watch_models(Box)
    return Box


class Stored:
    """What is in the database, as the checker sees it."""

    def __init__(self, raw, check, watch):
        self._raw, self._check, self._watch = raw, check, watch

    def empty(self):
        """Remove everything."""
        self._raw.flushdb()

    def check(self, pending=False):
        """Fail if anything is damaged; `pending`: but for what the next reset has to sweep."""
        self._check(pending=pending)

    def findings(self, pending=False):
        """As `check`, but a list of what is damaged."""
        return self._watch.findings(pending=pending)

    def end_lock(self):
        """As if the time of a dead reset's locks were over."""
        self._raw.delete('_ir_|Item:tmp:lock', '_ir_|Box:tmp:lock')

    def kept_work_keys(self):
        """Work keys that do not expire by themselves, but for those that stay."""
        keys = [key for key in self._raw.keys('*:tmp:*') if not key.endswith(b':incarnations')]
        return [key for key in keys if self._raw.ttl(key) == -1]


@pytest.fixture
def stored(raw, check, watch, item, boxes):
    return Stored(raw, check, watch)


@pytest.fixture
def filled(item):
    """The model with 50 objects of edition 1 under the pks 1 to 50."""
    item.reset(edition(item, 1, 50))
    return item


@pytest.fixture
def proxy(redis_params):
    with Proxy(redis_params) as proxy:
        yield proxy


@pytest.fixture
def four_workers(redis_params):
    with crew(redis_params, 4) as workers:
        yield workers


@pytest.fixture
def pair(new_server):
    with contextlib.ExitStack() as stack:
        yield Pair(new_server, lambda params: stack.enter_context(Proxy(params)))
