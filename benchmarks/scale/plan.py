"""Say by formulas what a model over many primaries needs, and how often a flip over them fails."""

import csv
import math
import re
from dataclasses import dataclass
from pathlib import Path

from IndexedRedis._core.bulk.recovery import SPREAD_MS
from IndexedRedis._core.resets.editions.retire import KEPT_MS, LONGER_MS, PAGE

SOURCES = list(csv.reader(Path(__file__).with_name('costs.csv').read_text('utf-8').splitlines()))
SERVERS = ('Redis', 'Valkey')
# The costs that do not depend on the server stand in the first column alone.
COSTS = {name: max(float(cost) for cost in costs if cost) for name, *costs, _ in SOURCES[1:]}
# Of each server by (primaries, partitions): CPU of one query, all primaries together.
QUERIES: dict[str, dict[tuple[int, int], float]] = {server: {} for server in SERVERS}
for name, *costs, _ in SOURCES:
    if asked := re.fullmatch(r'query, (\d+) on (\d+), us', name):
        of, at = map(int, asked.groups())
        for server, cost in zip(SERVERS, costs, strict=True):
            QUERIES[server][at, of] = float(cost)


def fitted(costs: dict[tuple[int, int], float]) -> tuple[float, float]:
    """Return what a query costs for each primary, and for each partition: by least squares."""
    pairs = [(at / cost, of / cost) for (at, of), cost in costs.items()]
    aa, ab, bb = (sum(pair[i] * pair[j] for pair in pairs) for i, j in ((0, 0), (0, 1), (1, 1)))
    a, b = (sum(pair[i] for pair in pairs) for i in (0, 1))
    det = aa * bb - ab * ab
    return (a * bb - b * ab) / det, (b * aa - a * ab) / det


FITS = {server: fitted(costs) for server, costs in QUERIES.items()}


def query_us(primaries: int, partitions: int) -> float:
    """Return the CPU of a query of all partitions, on the costlier server."""
    return max(at * primaries + of * partitions for at, of in FITS.values())


@dataclass(frozen=True)
class Plan:
    """A model with so many rows, primaries and partitions, and processes that load it."""

    rows: int
    primaries: int
    partitions: int
    loaders: int

    def gigabytes(self, editions: int = 1) -> float:
        """Return the memory of the fullest primary."""
        share = math.ceil(self.partitions / self.primaries) / self.partitions
        return self.rows * COSTS['all, bytes a row'] * editions * share / 1e9

    def load(self) -> float:
        """Return the seconds of a load: the primaries or the loaders are the limit."""
        return self.rows / min(self._loaded(), self.loaders * COSTS['loader, rows/s'])

    def busy(self) -> int:
        """Return how many loaders keep all primaries busy."""
        return math.ceil(self._loaded() / COSTS['loader, rows/s'])

    def _loaded(self) -> float:
        """Return how many rows all primaries load in a second."""
        return self.primaries * 1e6 / COSTS['load, us a row']

    def walk(self) -> float:
        """Return how long one process finds the old rows, and lets them expire."""
        return self.rows * COSTS['retire, us a row of the client'] / 1e6

    def gone(self) -> float:
        """Return after what time the last old rows are removed: they expire page by page."""
        pages = self.rows / self.partitions / PAGE
        return self.walk() + (KEPT_MS + LONGER_MS + pages * SPREAD_MS) / 1000

    def calls(self, us: float) -> float:
        """Return calls a second that take so much CPU of one primary, spread over all."""
        return COSTS['share of a core'] * self.primaries * 1e6 / us

    def queries(self) -> float:
        """Return queries a second that ask all partitions."""
        return self.calls(query_us(self.primaries, self.partitions))

    def reads(self) -> float:
        """Return ``get(pk)`` a second: each also asks one primary of all for the pointer."""
        pointer = COSTS['pointer, us of the home']
        both = self.calls(COSTS['get(pk), us'] + pointer)
        return min(both, COSTS['share of a core'] * 1e6 / pointer)


@dataclass(frozen=True)
class Flip:
    """A flip. Times are seconds.

    :param stage: how long rows are staged
    :param trip: mean time of one exchange with one primary; exponential
    :param between: mean time between failures of one server; exponential
    :param repair: time until a failed server is back as a replica
    :param replicas: of each primary
    """

    primaries: int
    stage: float
    trip: float
    between: float
    repair: float
    replicas: int = 1

    def window(self) -> float:
        """Return the mean time for which writers wait: three steps at all primaries, two at one."""
        return self.trip * (3 * harmonic(self.primaries) + 2)

    def fails(self, seconds: float) -> float:
        """Return the probability that a primary fails within so many seconds."""
        return -math.expm1(-self.primaries * seconds / self.between)

    def given_up(self) -> float:
        """Return the probability that a primary fails while rows are staged."""
        return self.fails(self.stage)

    def unconfirmed(self) -> float:
        """Return the probability that WAIT finds a primary without a replica."""
        down = (self.repair / (self.repair + self.between)) ** self.replicas
        found = 1 - (1 - down) ** self.primaries * (1 - self.fails(self._replaced()))
        return (1 - self.given_up()) * found

    def waits(self) -> float:
        """Return the probability that the flip waits for a failover, and is done then."""
        lasting = 1 - self.given_up() - self.unconfirmed()
        return lasting * self.fails(self.window() - self._replaced())

    def _replaced(self) -> float:
        # A primary that fails before WAIT is replaced by its only replica, and then has none.
        return 2 * self.trip * harmonic(self.primaries) if self.replicas == 1 else 0.0

    def until_done(self) -> float:
        """Return the mean seconds of staging until a flip is not given up."""
        rate = self.primaries / self.between
        return math.expm1(rate * self.stage) / rate


def harmonic(count: int) -> float:
    """Return 1 + 1/2 + ... + 1/count: the mean of the longest of so many exponential times."""
    return sum(1 / at for at in range(1, count + 1))


def slow(primaries: int, share: float = 0.01) -> float:
    """Return the probability that a query meets the slowest share of a primary's answers."""
    return 1 - (1 - share) ** primaries


def middle(primaries: int) -> float:
    """Return which share of one primary's answers is faster than half of the queries."""
    return 0.5 ** (1 / primaries)
