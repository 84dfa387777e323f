"""The plan of a model over many primaries. The rule: formulas agree with simulations of the same
thing within four standard errors, and with what was measured; the page shows what they give."""

from __future__ import annotations

import math
import random
from collections import Counter
from statistics import fmean, stdev

import pytest

from benchmarks.scale import plan, tables
from benchmarks.scale.__main__ import FOLDER
from benchmarks.scale.flip import ENDS, GIVEN_UP, LOST, UNCONFIRMED, UNDISTURBED, WAITS, simulate
from benchmarks.scale.plan import Flip, Plan
from benchmarks.table import as_rst

COUNT = 2_000
ROUGH = [
    tables.ROUGH,  # one replica: a primary that fails before WAIT leaves none
    Flip(6, 0.0, 60.0, 43_200.0, 1_000.0),  # the same, more often
    Flip(6, 300.0, 20.0, 21_600.0, 600.0, replicas=2),
    Flip(3, 0.0, 60.0, 21_600.0, 1e-6, replicas=2),  # only the window
]


def near(count: int, probability: float, of: int = COUNT) -> bool:
    """Whether so many successes are within four standard errors, and at least one can be seen."""
    error = math.sqrt(of * probability * (1 - probability))
    return abs(count - of * probability) <= 4 * error + 1


@pytest.fixture(scope='module', params=ROUGH, ids=['one replica', 'slow', 'two', 'no staging'])
def simulated(request):
    return request.param, simulate(request.param, COUNT)


def test_flips_end_as_often_as_the_formulas_say(simulated):
    flip, ends = simulated
    counts = Counter(how for how, _ in ends)
    # A primary without a replica may fail before WAIT tells that it has none.
    counts[UNCONFIRMED] += counts.pop(LOST, 0)
    expected = {GIVEN_UP: flip.given_up(), UNCONFIRMED: flip.unconfirmed(), WAITS: flip.waits()}
    expected[UNDISTURBED] = 1 - sum(expected.values())
    far = {how: counts[how] for how in expected if not near(counts[how], expected[how])}
    assert far == {}, expected


def test_writers_wait_for_the_steps_of_a_flip(simulated):
    flip, ends = simulated
    waits = [wait for how, wait in ends if how == UNDISTURBED]
    assert abs(fmean(waits) - flip.window()) <= 4 * stdev(waits) / math.sqrt(len(waits))


def test_writers_wait_for_a_failover_as_well():
    flip = ROUGH[3]
    waits = {how: [wait for end, wait in simulate(flip, COUNT) if end == how] for how in ENDS}
    assert len(waits[WAITS]) > 100
    assert fmean(waits[WAITS]) > fmean(waits[UNDISTURBED]) + plan.COSTS['failover at least, s']


def test_a_primary_without_replicas_loses_its_data():
    alone = Flip(3, 0.0, 60.0, 21_600.0, 600.0, replicas=0)
    counts = Counter(how for how, _ in simulate(alone, 200))
    assert counts[LOST] + counts[UNCONFIRMED] == 200
    assert counts[LOST] > 0


def test_staging_until_a_flip_is_not_given_up():
    flip, rng = Flip(12, 600.0, 1.0, 10_800.0, 60.0), random.Random(5)

    def seconds() -> float:
        total = 0.0
        while (fails := rng.expovariate(flip.primaries / flip.between)) < flip.stage:
            total += fails
        return total + flip.stage

    times = [seconds() for _ in range(COUNT)]
    assert abs(fmean(times) - flip.until_done()) <= 4 * stdev(times) / math.sqrt(COUNT)


@pytest.mark.parametrize('nodes', [1, 3, 48])
def test_the_slowest_of_many_answers(nodes):
    times = tables.longest(nodes, COUNT, random.Random(nodes))
    assert abs(fmean(times) - plan.harmonic(nodes)) <= 4 * stdev(times) / math.sqrt(COUNT)
    slowest_of_one, half = -math.log(0.01), -math.log(1 - plan.middle(nodes))
    assert near(sum(time > slowest_of_one for time in times), plan.slow(nodes))
    assert near(sum(time > half for time in times), 0.5)


@pytest.mark.parametrize('program', plan.SERVERS)
def test_the_cost_of_a_query_is_what_was_measured(program):
    primary, partition = plan.FITS[program]
    for (at, of), cost in plan.QUERIES[program].items():
        assert primary * at + partition * of == pytest.approx(cost, rel=0.35), (at, of)


def test_costs_of_two_parts_are_found():
    exact = {(at, of): 90.0 * at + 20.0 * of for at in (1, 3) for of in (6, 48)}
    assert plan.fitted(exact) == pytest.approx((90, 20))


def test_reads_of_a_pk_are_bound_by_the_primary_of_the_pointer():
    few, many, most = (Plan(0, primaries, 48, 1).reads() for primaries in (1, 24, 48))
    assert few < many == most


def test_a_plan_counts_the_fullest_primary():
    uneven, even = (Plan(1_000_000, 36, count, 1).gigabytes() for count in (48, 72))
    assert uneven / even == pytest.approx(2 / 48 * 36)


def test_a_load_is_as_fast_as_loaders_or_primaries():
    slow, fast, most = (Plan(10**8, 4, 48, loaders).load() for loaders in (1, 2, 1000))
    assert slow == 2 * fast
    assert Plan(10**8, 8, 48, 1000).load() == pytest.approx(most / 2)
    assert Plan(10**8, 4, 48, Plan(10**8, 4, 48, 1).busy()).load() == most


def test_the_fullest_node_is_that_with_most_tags():
    assert tables.fullest([b'a'] * 3 + [b'b'], 16384) == 0.75
    assert tables.fullest(tables.tags(48), 12) == 4 / 48


def test_the_page_shows_what_the_formulas_give():
    for name, cells in tables.tables().items():
        shown = (FOLDER / f'{name}.rst').read_text('utf-8')
        assert shown == as_rst(cells), f'{name}: make it anew'


def test_the_text_of_the_page_says_what_a_query_costs():
    text = FOLDER.with_suffix('.rst').read_text('utf-8')
    for name, (primary, partition) in plan.FITS.items():
        assert f'{name} {primary:.0f} µs for each primary, and {partition:.0f} µs for each' in text
