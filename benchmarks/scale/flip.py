"""Simulate flips by events: servers fail and return, replicas take over, steps are sent again."""

import heapq
import random
from collections.abc import Iterable

from .plan import COSTS, Flip

ENDS = ('undisturbed', 'waits for a failover', 'no replica confirms', 'given up', 'data lost')
UNDISTURBED, WAITS, UNCONFIRMED, GIVEN_UP, LOST = ENDS
# The steps, and whether they go to all primaries or only to that of the home slot, number 0.
STEPS = (('prepare', True), ('WAIT', True), ('commit', False), ('confirm', False), ('apply', True))


def simulate(flip: Flip, count: int, seed: int = 23) -> list[tuple[str, float]]:
    """Return of so many flips how each ended, and for how many seconds writers waited."""
    rng = random.Random(seed)
    return [_Run(flip, rng).end() for _ in range(count)]


class _Run:
    """One flip. A server is a pair: the number of its primary's slots, its own number there."""

    def __init__(self, flip: Flip, rng: random.Random) -> None:
        self.flip, self.rng, self.now = flip, rng, 0.0
        self.nodes = range(flip.primaries)
        self.primary, self.serves_at = [0] * flip.primaries, [0.0] * flip.primaries
        self.up: set[tuple[int, int]] = set()
        self.events: list[tuple[float, tuple[int, int]]] = []
        for server in [(node, at) for node in self.nodes for at in range(1 + flip.replicas)]:
            if server[1] and rng.random() < flip.repair / (flip.repair + flip.between):
                self.events.append((rng.random() * flip.repair, server))
            else:
                self.up.add(server)
                self.events.append((rng.expovariate(1 / flip.between), server))
        heapq.heapify(self.events)

    def end(self) -> tuple[str, float]:
        """Return how it ends, and for how long writers wait."""
        if self._failed(self.flip.stage):
            return GIVEN_UP, 0.0
        start, how = self.now, UNDISTURBED
        for step, everywhere in STEPS:
            nodes = self.nodes if everywhere else self.nodes[:1]
            while failed := self._failed(self._answered(nodes)):
                if any(self.primary[node] < 0 for node in failed):
                    return LOST, self.now - start
                how = WAITS
            if step == 'WAIT' and any(not self._replicas(node) for node in nodes):
                return UNCONFIRMED, self.now - start
        return how, self.now - start

    def _answered(self, nodes: Iterable[int]) -> float:
        """Return when the last of these primaries will have answered."""
        trips = ((node, self.rng.expovariate(1 / self.flip.trip)) for node in nodes)
        return max(max(self.now, self.serves_at[node]) + trip for node, trip in trips)

    def _replicas(self, node: int) -> list[int]:
        return [at for of, at in self.up if of == node and at != self.primary[node]]

    def _failed(self, until: float) -> list[int]:
        """Go on to a time, or to the first failure of a primary; return whose slots that hits."""
        while self.events[0][0] < until:
            self.now, server = heapq.heappop(self.events)
            node, at = server
            fails = server in self.up
            self.up ^= {server}
            wait = self.flip.repair if fails else self.rng.expovariate(1 / self.flip.between)
            heapq.heappush(self.events, (self.now + wait, server))
            if fails and at == self.primary[node]:
                self.primary[node] = next(iter(self._replicas(node)), -1)
                low, high = COSTS['failover at least, s'], COSTS['failover at most, s']
                self.serves_at[node] = self.now + self.rng.uniform(low, high)
                return [node]
        self.now = until
        return []
