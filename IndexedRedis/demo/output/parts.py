"""What was measured, as blocks.

The rule: each figure and each ratio comes from the run, and no sentence says which is larger.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from ...mirror import MirrorReport
from ...testing.clusters import Node
from ..crew import CLIENTS
from ..events.failover import Failover
from ..events.live import ALBUM, Live
from ..events.swap import Swap
from ..load import CHECKED, Answer, Load
from ..reader import MIXTURE, percentile, rates
from .blocks import (
    Asked,
    Bar,
    Bars,
    Block,
    Fact,
    Facts,
    Groups,
    Mark,
    Text,
    Timeline,
    milliseconds,
)

STEP = 0.1  # seconds of a period


def mirrored(report: MirrorReport, seconds: float) -> list[Block]:
    """Return what a run of a mirror stored, and how long it took."""
    rows = [Fact(f'{each.written:,}', f'{name} objects') for name, each in report.models.items()]
    return [Facts([*rows, Fact(f'{seconds:.2f} s', 'from the first SELECT until they are live')])]


def asked(answers: Sequence[Answer]) -> list[Block]:
    """Return the questions with the heads of their answers, and whether all agree."""
    blocks: list[Block] = [
        Asked(each.question.text, each.question.code, _head(each)) for each in answers
    ]
    wrong = [each for each in answers if each.different]
    if wrong:
        told = (f'“{each.question.text}” from {", ".join(each.different)}' for each in wrong)
        return [*blocks, Text(f'THE ANSWERS DIFFER: {"; ".join(told)}', right=False)]
    names = list(answers[0].times)
    checked = f'{", ".join(names[:-1])} and {names[-1]} give the same lines'
    return [*blocks, Text(f'{checked}, also for {CHECKED} more values of each.', right=True)]


def _head(answer: Answer) -> str:
    """Return the first line of a page, after the number of lines where there are several."""
    count = len(answer.page)
    return f'{count:,} lines: {answer.page[0]}' if count > 1 else ''.join(answer.page)


def timed(answers: Sequence[Answer], loads: Sequence[Load]) -> list[Block]:
    """Return how long one client waits, and how many pages the clients of a crew get."""
    names = list(answers[0].times)
    rows = [(each.question.name, [each.times[name] * 1000 for name in names]) for each in answers]
    bars = [
        Bar(
            each.system,
            each.rate,
            (f'{each.rate:,.0f}', milliseconds(each.median), milliseconds(each.p99)),
        )
        for each in loads
    ]
    ours, *others = loads
    ratios = ', '.join(f'{ours.rate / each.rate:.2f} times {each.system}' for each in others)
    return [
        Groups('ms, one client', names, rows),
        Bars(f'{CLIENTS} clients', ('pages/s', 'median', 'p99'), bars),
        Text(f'Pages a second of {ours.system}: {ratios}.'),
    ]


def swapped(swap: Swap) -> list[Block]:
    """Return what the clients read while the data was replaced."""
    editions = rates(swap.got, STEP)
    seen = swap.seen
    marks = [Mark(swap.began, 'mirror.run() begins'), Mark(swap.ended, 'it has returned')]
    return [
        Timeline('pages/s', STEP, [('old', editions[1]), ('new', editions[2])], marks),
        Facts([
            Fact(f'{swap.ended - swap.began:.2f} s', f'for {swap.objects:,} objects'),
            Fact(f'{seen[1]:,}', 'pages of the old edition'),
            Fact(f'{seen[2]:,}', 'pages of the new edition', None if seen[2] else False),
            Fact(f'{seen[MIXTURE]:,}', 'mixtures of both', not seen[MIXTURE]),
            _waits('while the mirror runs', swap.during),
            _waits('before and after it', swap.apart),
        ]),
    ]  # fmt: skip


def _waits(when: str, times: Sequence[float]) -> Fact:
    if not times:
        return Fact('-', f'no page {when}')
    longest = f'the longest {milliseconds(max(times))}, of {len(times):,} pages'
    return Fact(milliseconds(percentile(times, 0.99)), f'p99 {when}; {longest}')


def followed(seen: Live) -> list[Block]:
    """Return how soon a reader saw each commit in SQL."""
    commits = len(seen.waits)
    return [
        Asked(
            f'A commit in SQL: {seen.rows} tracks cost {seen.price:.2f} each',
            f'Track.objects.filter(album={ALBUM!r}).all()',
            f'{seen.rows} tracks at {seen.price:.2f}, {milliseconds(seen.waits[-1])} after COMMIT',
        ),
        Facts([
            Fact(f'{seen.loaded:.2f} s', f'until {seen.objects:,} tracks are live and followed'),
            Fact(f'{commits:,}', f'commits, each of {seen.rows} rows'),
            Fact(
                milliseconds(median(seen.waits)),
                f'median from COMMIT to the reader; the longest {milliseconds(max(seen.waits))}',
            ),
            Fact(f'{seen.reads:,}', 'reads'),
            Fact(f'{seen.mixtures:,}', 'mixtures of two commits', not seen.mixtures),
        ]),
    ]  # fmt: skip


def failed_over(seen: Failover) -> list[Block]:
    """Return what a reader read while its primary was killed."""
    editions = rates(seen.got, STEP)
    marks = [
        Mark(seen.killed_at, f'{_at(seen.killed)} killed'),
        Mark(seen.mirrored_at, 'mirrored again'),
    ]
    return [
        Timeline('reads/s', STEP, [('old', editions[1]), ('new', editions[2])], marks),
        Facts([
            Fact(f'{seen.before:,}', f'reads before {_at(seen.killed)} was killed'),
            Fact(f'{seen.after:,}', f'reads after it; {_at(seen.promoted)} is the primary then'),
            Fact(f'{seen.mirrored:,}', 'reads of the edition that was mirrored afterwards'),
            Fact(f'{seen.errors:,}', 'errors', not seen.errors),
            Fact(f'{seen.mixtures:,}', 'mixtures of both editions', not seen.mixtures),
            Fact(
                milliseconds(seen.longest_wait),
                f'the longest wait; {milliseconds(seen.usual_wait)} the usual',
            ),
        ]),
    ]  # fmt: skip


def _at(node: Node) -> str:
    return f'{node.host}:{node.port}'
