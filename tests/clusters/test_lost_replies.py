"""A reply is lost at each step of each kind of write, and another node takes over in that moment.
The rule: the write goes on at the new primary, without an error, and all is stored exactly once."""

from __future__ import annotations

import pytest
from faults.item import Box, Item, contents, edition, over
from faults.proxy import Proxy
from faults.writes import WRITES
from judge.checker import check_model

import IndexedRedis as IR


class Detour:
    """A cluster whose primary of the models is reached through a proxy."""

    def __init__(self, cluster, proxy):
        self._cluster, self.proxy = cluster, proxy
        self._primary = None
        self.params = {**cluster.params, 'address_remap': self._remap, 'max_connections': 1}

    def _remap(self, address):
        through = address == self._primary.address
        return (self.proxy.params['host'], self.proxy.params['port']) if through else address

    def begin(self):
        """Empty the cluster, and lead to the node that is the primary now."""
        self._primary = self._cluster.primary_of(Item.KEY_NAME)
        self.proxy.lead_to(self._primary.params)
        self._cluster.clear()
        IR.setDefaultRedisConnectionParams(self.params)

    def take_over(self):
        """The replica, which has all that was written, takes over."""
        with self._primary.client() as client:
            client.set('{faults}mark', 1)
            assert client.wait(1, 5000) == 1
        self._cluster.takeover(self._cluster.replicas_of(self._primary)[0])

    def check(self, *models):
        """Fail if anything is damaged."""
        with self._cluster.primary_of(Item.KEY_NAME).client() as client:
            for model in models:
                assert check_model(client, model) == []


@pytest.fixture
def detour(cluster, monkeypatch):
    for model in (Item, Box):
        monkeypatch.setattr(model, 'KEY_NAME', f'{{faults}}{model.__name__}')
    with Proxy(cluster.primary_of(Item.KEY_NAME).params) as proxy:
        yield Detour(cluster, proxy)


@pytest.mark.either('write')
@pytest.mark.parametrize('write', WRITES, ids=lambda write: write.__name__)
def test_what_is_lost_in_a_failover_is_stored_exactly_once(detour, write, full):
    number = steps = 0
    while number <= steps:
        detour.begin()
        model = over(detour.params)
        model.reset(edition(model, 1, 3))
        attempt = write(model)
        detour.proxy.fault(number, 'lost', detour.take_over)
        attempt.do()
        steps = steps or len(detour.proxy.commands)  # nothing was lost in the first round
        assert contents(model) == write.expected, f'command {number} of {steps}'
        assert attempt.links_are_right()
        detour.check(Item, Box)
        number += 1 if full else 6
