"""Readers, writers and resetters in two processes that are killed and begun anew, while nodes of
the cluster are lost, slots move, and the number of partitions changes. The rule: each answer is one
data set, what was acknowledged is there, and the next reset leaves nothing behind."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count
from math import inf
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from partitions.conftest import LOCK
from partitions.court import Act, Court
from partitions.moments import EVENTS, HOME, insist, judge
from partitions.naive import NAIVE, readers_that_ask_each_partition_alone
from partitions.rows import ask, data_set, process

pytestmark = pytest.mark.clusters
# What members may be told while nodes are lost, and locks of killed processes expire.
TOLD = {'NotAcknowledgedError', 'ResetLostError', 'ResetInProgressError', 'ConflictError'}
TOLD |= {'ObjectGoneError', 'ConnectionError', 'TimeoutError', 'ClusterDownError'}
SECONDS = 0.8
# Reads that they do after an event, and how long others wait at most until something has happened.
READS, MOST_SECONDS = 20, 120
MILLION = 1_000_000
# How old a write may be that a replica lacks when it takes over.
REPLICATED_SECONDS = 1.0


class Crowd:
    """Two processes."""

    def __init__(self, params: dict[str, Any], folder: Path, lacks: str) -> None:
        self._params, self._folder, self._numbers = json.dumps(params), folder, count(1)
        self._lacks = lacks
        self._processes: dict[subprocess.Popen[str], Path] = {}
        self.diaries: list[Path] = []

    def begin(self, partitions: int) -> None:
        """Begin another process."""
        number = next(self._numbers)
        diary = self._folder / f'{number}.jsonl'
        diary.touch()
        self.diaries.append(diary)
        environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, sys.path))}
        told = [self._params, str(diary), str(partitions), str(MILLION * number)]
        command = [sys.executable, '-m', 'partitions.crowd', *told, self._lacks]
        made = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
        self._processes[made] = diary
        assert made.stdout and made.stdout.readline() == 'ready\n'

    def kill(self) -> None:
        """Kill the oldest process."""
        made = next(iter(self._processes))
        self._processes.pop(made)
        made.kill()
        made.communicate()

    def end(self) -> None:
        """Kill all."""
        while self._processes:
            self.kill()

    def acts(self) -> list[Act]:
        """What was done, by all that ever lived.

        Some may be at work. What a read gave while the diaries are read may be explained by a line
        that comes too late.
        """
        found, now = [], time.monotonic()
        for diary in self.diaries:
            mine: dict[int, Act] = {}
            for line in diary.read_bytes().split(b'\n')[:-1]:
                told = json.loads(line)
                number = told.pop('of')
                if 'kind' in told:
                    mine[number] = Act(**told)
                else:
                    _end(mine[number], told)
            found += [act for act in mine.values() if act.kind != 'read' or act.ended < now]
        return found


def _end(act: Act, told: dict[str, Any]) -> None:
    act.error = told['error']
    act.outcome = 'unknown' if act.error else 'done'
    act.ended = told['ended'] if not act.error or act.kind != 'write' else inf
    if act.kind == 'write':
        act.pks = dict(told['result'] or ())
        return
    names = ('_id', 'edition', 'n', 'name')
    act.result = [SimpleNamespace(**dict(zip(names, r, strict=True))) for r in told['result'] or ()]


@pytest.fixture
def crowd(cluster, place, tmp_path) -> Iterator[Any]:
    """`crowd()`: two processes at work on a cluster with a first data set."""
    with contextlib.ExitStack() as stack:

        def start(lacks: str = '') -> Crowd:
            place()
            made = Crowd(cluster.params, tmp_path, lacks)
            stack.callback(made.end)
            for partitions in (4, 4):
                made.begin(partitions)
            return made

        yield start


def live(crowd: Crowd, seed: str, seconds: float, event: Any = None) -> None:
    """Let them live; an event comes in the middle, and processes are killed before and after."""
    chance = Random(seed)
    for act in (None, event, None):
        end = time.monotonic() + seconds / 2
        if act is not None:
            act()
        while time.monotonic() < end:
            time.sleep(chance.uniform(0.1, 0.5))
            crowd.kill()
            crowd.begin(chance.choice([4, 4, 6]))


def recover(crowd: Crowd) -> None:
    """Wait until they have read and reset again."""
    since, end = time.monotonic(), time.monotonic() + MOST_SECONDS
    while time.monotonic() < end:
        done = Counter(a.kind for a in crowd.acts() if a.began > since and a.outcome == 'done')
        if done['read'] >= READS and done['reset']:
            return
        time.sleep(0.1)
    pytest.fail(f'{done} in {MOST_SECONDS} s after the event')


def verdict(
    crowd: Crowd, cluster: Any, failover: tuple[float, float]
) -> tuple[list[str], Counter[str]]:
    """What is wrong, and how much was done.

    :param failover: when the event began, and when it was over
    """
    crowd.end()
    cluster.heal()
    cluster.primary_of(HOME).call('DEL', LOCK)
    acts = crowd.acts()
    first = Act('reset', 0, 1, 0, 'done')
    last = Act('read', time.monotonic())
    last.result = process(0).objects.all()
    last.ended, last.outcome = time.monotonic(), 'done'
    counts = Counter(f'{act.kind} {act.outcome}' for act in acts)
    told = Counter(act.error.partition(':')[0] for act in acts if act.error)
    strange = [act.error for act in acts if act.error and act.error.partition(':')[0] not in TOLD]
    faults = [*Court([first, *acts, last], failover).faults()]
    return [*faults, *strange], counts + told


@pytest.mark.parametrize('event', EVENTS, ids=lambda event: event.__name__)
def test_a_crowd(cluster, crowd, event, figures, full, request):
    members = crowd()
    seconds = SECONDS * (3 if full else 1)
    seed = f'{request.config.getoption("--seed")} {event.__name__}'
    moments = []

    def strike() -> None:
        moments.append(time.monotonic() - REPLICATED_SECONDS)
        event(cluster)
        moments.append(time.monotonic())

    live(members, seed, seconds, strike)
    cluster.heal()
    recover(members)
    found, counts = verdict(members, cluster, (moments[0], moments[1]))
    figures(f'crowds over partitions, {event.__name__}', **counts)
    assert not found, '\n'.join(found[:5])
    last = process(3)
    insist(lambda: last.reset(data_set(last, 999_999_999)))
    assert ask(process(4)) == 999_999_999
    judge(cluster)


def test_what_is_naive_fails(cluster, crowd):
    """The same judge sees it. Played histories show the rest: that depends on milliseconds."""
    naive = readers_that_ask_each_partition_alone
    members = crowd(naive.__name__)
    end = time.monotonic() + MOST_SECONDS
    while time.monotonic() < end:
        live(members, naive.__name__, 1)
        try:
            told = [*Court([Act('reset', 0, 1, 0, 'done'), *members.acts()]).faults()]
        except AssertionError as error:
            told = [str(error)]
        if any(NAIVE[naive] in each for each in told):
            return
    pytest.fail(f'a crowd does not show it in {MOST_SECONDS} s')
