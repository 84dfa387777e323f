"""Make the tables of ``docs/explanation/scale.rst``: from costs, formulas and simulated flips."""

import math
import random
from binascii import crc_hqx
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from statistics import fmean
from typing import Any

from IndexedRedis._core.bulk.recovery import SPREAD_MS
from IndexedRedis._core.partitions.layout import tags
from IndexedRedis._core.resets.editions.retire import PAGE

from ..table import Cells
from . import plan as p
from .flip import ENDS, UNDISTURBED, simulate
from .plan import COSTS, Flip, Plan

PLANS = [
    *(Plan(100_000_000, 4, 48, 12), Plan(100_000_000, 12, 48, 12)),
    *(Plan(1_000_000_000, 48, 48, 12), Plan(1_000_000_000, 48, 192, 144)),
]
SIMULATED = 4_000
ROUGH = Flip(12, 600.0, 1.0, 21_600.0, 60.0)  # so rough that some thousand flips meet each end
CASES = [(1, 48), (4, 8), (4, 48), (12, 24), (12, 48), (48, 48), (48, 192)]
NODES = (3, 6, 8, 12, 24, 48)


def tables() -> dict[str, Cells]:
    """Return each table by its name."""
    return {
        'costs': p.SOURCES,
        'plans': _columns(PLANS, _of_a_plan),
        'queries': _columns(CASES, _of_a_query),
        'flips': _columns(PLANS, _of_a_flip),
        'simulated': _simulated(),
        'slowest': _columns(NODES, _of_the_slowest),
        'tags': _columns(NODES, _of_tags),
        'limits': [['what', 'ends at'], *map(list, _limits().items())],
    }


def _columns(cases: Iterable[Any], cells: Callable[[Any], dict[str, str]]) -> Cells:
    """Return a table with a column for each case, and a row for each name."""
    columns = [cells(case) for case in cases]
    return [[name, *(column[name] for column in columns)] for name in columns[0]]


def _of_a_plan(plan: Plan) -> dict[str, str]:
    return {
        'rows, million': f'{plan.rows / 1e6:,.0f}',
        'primaries': f'{plan.primaries}',
        'partitions': f'{plan.partitions}',
        'memory of the fullest primary': f'{plan.gigabytes():.0f} GB',
        'the same during a reset': f'{plan.gigabytes(2):.0f} GB',
        'loaders': f'{plan.loaders}',
        'load': duration(plan.load()),
        'load by one loader': duration(replace(plan, loaders=1).load()),
        'loaders that keep all primaries busy': f'{plan.busy()}',
        'one process retires the old rows': duration(plan.walk()),
        'the last old rows are removed after': duration(plan.gone()),
        'queries of all partitions, a second': about(plan.queries()),
        '``get(pk)`` a second': about(plan.reads()),
        'inserts a second': about(plan.calls(COSTS['insert, us'])),
        'updates a second': about(plan.calls(COSTS['update, us'])),
    }


def _of_a_query(case: tuple[int, int]) -> dict[str, str]:
    plan, plain = Plan(0, *case, 0), Plan(0, 1, 1, 0).calls(COSTS['query of a plain model, us'])
    return {
        'primaries': f'{plan.primaries}',
        'partitions': f'{plan.partitions}',
        'CPU of all primaries': f'{about(p.query_us(*case))} µs',
        'queries a second': about(plan.queries()),
        'times a plain model on one server': f'{plan.queries() / plain:.2f}',
    }


def _flip_of(plan: Plan, replicas: int = 1) -> Flip:
    between = COSTS['time between failures of a server, days'] * 86_400
    repair, trip = COSTS['repair of a server, s'], COSTS['trip, s']
    return Flip(plan.primaries, plan.load(), trip, between, repair, replicas)


def _of_a_flip(plan: Plan) -> dict[str, str]:
    flip, two = _flip_of(plan), _flip_of(plan, 2)
    return {
        'rows, million': f'{plan.rows / 1e6:,.0f}',
        'primaries': f'{plan.primaries}',
        'staging': duration(flip.stage),
        'given up: a primary fails during staging': share(flip.given_up()),
        'given up: no replica confirms, one each': share(flip.unconfirmed()),
        'given up: no replica confirms, two each': share(two.unconfirmed()),
        'waits 4 to 5 s for a failover': share(flip.waits()),
        'writers wait otherwise': f'{flip.window() * 1000:.0f} ms',
    }


def _simulated() -> Cells:
    ends = simulate(ROUGH, SIMULATED)
    counts = Counter(how for how, _ in ends)
    others = (ROUGH.waits(), ROUGH.unconfirmed(), ROUGH.given_up(), 0.0)
    formulas = zip(ENDS, (1 - sum(others), *others), strict=True)
    waits = fmean(wait for how, wait in ends if how == UNDISTURBED)
    return [
        ['end of a flip', 'formula', f'of {SIMULATED:,} simulated'],
        *([end, share(part), share(counts[end] / SIMULATED)] for end, part in formulas),
        ['mean wait of writers, undisturbed', f'{ROUGH.window():.2f} s', f'{waits:.2f} s'],
    ]


def longest(nodes: int, count: int, rng: random.Random) -> list[float]:
    """Return of so many queries the longest of exponential times of all nodes, whose mean is 1."""
    return [max(rng.expovariate(1) for _ in range(nodes)) for _ in range(count)]


def _of_the_slowest(nodes: int) -> dict[str, str]:
    return {
        'primaries': f'{nodes}',
        'queries that meet the slowest 1 % of a primary': f'{p.slow(nodes):.0%}',
        'the median is this quantile of one primary': f'{p.middle(nodes):.1%}',
        'mean of the longest answer, times that of one': f'{p.harmonic(nodes):.2f}',
        'the same, simulated': f'{fmean(longest(nodes, SIMULATED, random.Random(nodes))):.2f}',
    }


def fullest(names: Iterable[bytes], nodes: int) -> float:
    """Return the share of the fullest node among nodes with equal runs of slots."""
    held = Counter(crc_hqx(name, 0) % 16384 * nodes // 16384 for name in names)
    return max(held.values()) / held.total()


def _of_tags(nodes: int) -> dict[str, str]:
    named = [b'K:%d' % at for at in range(48)]
    return {
        'primaries': f'{nodes}',
        'an equal share': f'{1 / nodes:.1%}',
        'fullest primary, tags of the library': f'{fullest(tags(48), nodes):.1%}',
        'fullest primary, tags ``{K:0}`` to ``{K:47}``': f'{fullest(named, nodes):.1%}',
    }


def _limits() -> dict[str, str]:
    """Return at which number each part of the design ends."""
    node = COSTS['memory of a node, GB'] * COSTS['share of the memory']
    one, most = Plan(1_000_000, 1, 1, 1), Plan(1_000_000, 1000, 1000, 1)
    client, retire = (
        COSTS['query, 48 on 1, us of the client'],
        COSTS['retire, us a row of the client'],
    )
    given_up = -math.log(0.99) * COSTS['time between failures of a server, days'] * 24
    return {
        'queries of all partitions a second': about(one.queries()),
        'the same of 48 partitions, one Python process': about(1e6 / client),
        '``get(pk)`` a second': about(most.reads()),
        'million rows on one primary, both editions': about(node / one.gigabytes(2)),
        'rows that one process retires a second': about(1e6 / retire),
        'rows of a partition that expire a second': about(PAGE / SPREAD_MS * 1000),
        'hours of staging times primaries, 1 of 100 flips given up': about(given_up),
        'wait of writers at a flip of 1,000 primaries': f'{_flip_of(most).window() * 1000:.0f} ms',
    }


def duration(seconds: float) -> str:
    """Return a duration in one unit."""
    for unit, size in (('h', 3600), ('min', 60)):
        if seconds >= 2 * size:
            return f'{about(seconds / size)} {unit}'
    return f'{about(seconds)} s'


def about(value: float) -> str:
    """Return a number with two digits that count."""
    return f'{float(f"{value:.2g}"):,g}'


def share(part: float) -> str:
    """Return a probability: in percent, or as one in so many."""
    return f'{part:.1%}' if part > 0.0095 or not part else f'1 in {float(f"{1 / part:.2g}"):,.0f}'
