"""Six processes over a model with partitions, which one thread plays in a random order, step by
step. Half of them send by asyncio. They die, sleep until their locks are over, and their replies
get lost. The rule: what they were answered is explained by what they have done, and the next reset
leaves nothing behind.

    pytest tests/partitions/test_histories.py --minutes 10 --seed 7
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from itertools import count
from random import Random
from typing import Any

import pytest

import IndexedRedis as IR
from IndexedRedis._core.bulk import insert
from IndexedRedis._core.resets.editions import staging
from IndexedRedis._core.writes import sizes
from IndexedRedis.managers.manager import async_executor_of
from partitions.court import Act, Court
from partitions.leftovers import assert_clean
from partitions.naive import NAIVE
from partitions.played import Played
from partitions.rows import SIZE, ask, data_set, extra, process

PROCESSES, STEPS = 6, 1200
MOST_HISTORIES, LOCKED_SECONDS = 30, 60
# How often each comes.
ACTS = {'read': 5, 'count': 2, 'reset': 2.5, 'save': 5, 'save_many': 2, 'change': 4, 'delete': 2}
ACTS |= {'delete_many': 1, 'wipe': 0.3, 'destroy': 0.2, 'compare': 1.5}
# Errors that say that nothing was done, and others that say that it is not known.
NOTHING = {'ResetInProgressError', 'ResetLostError'}
UNKNOWN = {'ConflictError', 'ObjectGoneError'}  # an update that was sent twice, a flip in between


class History:
    """A random history over an empty server.

    :param raw: a client of the server
    :param seed: which history
    :param runner: of the event loop that half of the processes have
    """

    def __init__(self, raw: Any, seed: str, runner: asyncio.Runner) -> None:
        self._raw, self._chance = raw, Random(seed)
        random.seed(seed)  # of the library, which chooses partitions for new objects
        raw.flushall()
        self._runner = runner
        self._clock, self._editions = 0, count(1)
        self.acts: list[Act] = []
        self.counts: Counter[str] = Counter()
        self._models = [process(number) for number in range(PROCESSES)]
        self._at_work: dict[int, tuple[Played, Act, list[Any]]] = {}
        #: objects that each process may write
        self._own: list[list[Any]] = [[] for _ in range(PROCESSES)]
        self._reset(0)
        self._play(0, Played.finish)

    def run(self) -> None:
        """Play it."""
        chance = self._chance
        for _ in range(STEPS):
            number = chance.randrange(PROCESSES)
            if number not in self._at_work:
                self._begin(number)
            elif chance.random() < 0.01:
                self._die(number)
            elif chance.random() < 0.05:
                self._play(number, lambda played: played.advance(chance.randrange(60)))
            else:
                lost, again = (chance.random() < 0.03 for _ in range(2))
                self._play(number, lambda p: p.step(1 + again, lost))  # noqa: B023
            if chance.random() < 0.01:
                self._expire()
        for number in [*self._at_work]:
            self._die(number)

    def end(self) -> None:
        """Everybody is dead. Read, reset, and judge."""
        self._expire()
        self._begin(0, 'read')
        self._play(0, Played.finish)
        last = process(0)
        last.reset(data_set(last, 1_000_000))
        assert ask(process(1)) == 1_000_000
        assert_clean(self._raw)
        court = Court(self.acts)
        faults = [*court.faults()]
        assert not faults, '\n'.join(f'{each}\n{court.story(each)}' for each in faults[:5])

    def _play(self, number: int, go: Any) -> None:
        played, act, objs = self._at_work[number]
        self._clock += 1
        try:
            go(played)
        except Exception:
            assert played.ended
        if not played.ended:
            return
        del self._at_work[number]
        act.ended, error = self._clock, type(played.error).__name__
        self.counts[act.kind] += 1
        if played.error is None:
            act.outcome, act.result = 'done', played.result
            self._own[number] += [obj for obj in objs if obj._id]
            if act.kind == 'count':
                assert act.result in (SIZE, 0), act
            return
        act.error = repr(played.error)
        self.counts[error] += 1
        assert error in NOTHING | UNKNOWN, act
        # A write may have been done in an edition that was replaced since, and tried again.
        nothing = error in NOTHING and act.kind == 'reset'
        act.outcome = 'nothing' if nothing else 'unknown'

    def _die(self, number: int) -> None:
        played, act, _ = self._at_work.pop(number)
        played.die()
        # A long list that is committed is finished by others, later.
        act.ended = float('inf') if act.kind == 'write' else self._clock
        self.counts['deaths'] += 1
        self._own[number].clear()
        self._models[number] = process(number, self._chance.choice([4, 4, 4, 6]))

    def _expire(self) -> None:
        """Locks whose owners are dead or asleep."""
        for key in self._raw.keys('*:tmp:lock'):
            if 0 < self._raw.ttl(key) < LOCKED_SECONDS:  # others bar a dropped edition for an hour
                self._raw.delete(key)

    def _begin(self, number: int, kind: str = '') -> None:
        kind = kind or self._chance.choices([*ACTS], [*ACTS.values()])[0]
        self._clock += 1
        getattr(self, f'_{kind}')(number)

    def _start(self, number: int, kind: str, act: Any, values: Any = None, objs: Any = ()) -> None:
        noted = Act(kind, self._clock, values)
        self.acts.append(noted)
        send = (lambda flow: self._await(number, flow)) if number % 2 else None
        played = Played(act, self._chance.random() < 0.5, send)
        self._at_work[number] = played, noted, [*objs]
        self._play(number, lambda played: None)

    def _await(self, number: int, flow: Any) -> Any:
        async def send() -> Any:
            return await async_executor_of(self._models[number]).run(flow)

        return self._runner.run(send())

    # -- what they do --------------------------------------------------------------------------

    def _read(self, number: int) -> None:
        objects = self._models[number].objects
        query = self._chance.choice([objects, objects.filter(n__ne=-1), objects.orderBy('n')])
        self._start(number, 'read', query.all)

    def _count(self, number: int) -> None:
        self._start(number, 'count', self._models[number].objects.filter(edition__ne=0).count)

    def _reset(self, number: int) -> None:
        model, edition = self._models[number], next(self._editions)
        self._start(number, 'reset', lambda: model.reset(data_set(model, edition)), edition)

    def _compare(self, number: int) -> None:
        """A reset that compares first. Its objects bring pks that no others have."""
        model, edition = self._models[number], next(self._editions)
        rows = data_set(model, edition)
        for n, row in enumerate(rows):
            row._id = edition * 1_000_000 + n
        change = lambda: IR.resetChanged([(model, rows)], {model: '_id'})  # noqa: E731
        self._start(number, 'reset', change, edition)

    def _destroy(self, number: int) -> None:
        self._start(number, 'destroy', self._models[number].deleter.destroyModel)

    def _wipe(self, number: int) -> None:
        self._start(number, 'wipe', self._models[number].objects.filter(edition=0).delete)

    def _save(self, number: int) -> None:
        obj = extra(self._models[number])
        self._start(number, 'write', obj.save, {obj.name: obj.n}, [obj])

    def _save_many(self, number: int) -> None:
        objs = [extra(self._models[number]) for _ in range(self._chance.randrange(2, 9))]
        values = {obj.name: obj.n for obj in objs}
        self._start(number, 'write', lambda: self._models[number].saver.save(objs), values, objs)

    def _some(self, number: int, most: int) -> list[Any]:
        """Objects of a process that it writes now; others later, once it is known what became."""
        own = self._own[number]
        self._chance.shuffle(own)
        some, own[:] = own[:most], own[most:]
        return some

    def _change(self, number: int) -> None:
        for obj in self._some(number, 1):
            obj.n = 100 + self._clock
            self._start(number, 'write', obj.save, {obj.name: obj.n}, [obj])

    def _delete(self, number: int) -> None:
        for obj in self._some(number, 1):
            self._start(number, 'write', obj.delete, {obj.name: None})

    def _delete_many(self, number: int) -> None:
        if objs := self._some(number, 5):
            values = dict.fromkeys(obj.name for obj in objs)
            delete = self._models[number].deleter.deleteMultiple
            self._start(number, 'write', lambda: delete(objs), values)


@pytest.fixture
def small_steps(monkeypatch):
    """Some lists are long, and rows go in small lots."""
    monkeypatch.setattr(staging, 'CHUNK', 2)
    monkeypatch.setattr(insert, 'CHUNK', 2)


@pytest.fixture
def runner():
    """An event loop."""
    with asyncio.Runner() as made:
        yield made
        made.run(IR.aclose())


@pytest.mark.histories
@pytest.mark.timeout(0)
@pytest.mark.usefixtures('small_steps')
def test_six_processes(raw, request, full, figures, monkeypatch, runner):
    option = request.config.getoption
    minutes = option('--minutes') or (0.5 if full else 0.05)
    end = time.monotonic() + 60 * minutes
    for number in count(1):
        seed = f'{option("--seed")} {number}'
        monkeypatch.setattr(sizes, 'SCRIPT_US', Random(seed).choice([1, 100, 3000]))
        history = History(raw, seed, runner)
        try:
            history.run()
            history.end()
        except AssertionError as error:
            error.add_note(f'--seed {option("--seed")}, history {number}')
            raise
        figures('histories over partitions', histories=1, **history.counts)
        if time.monotonic() > end:
            break


@pytest.mark.histories
@pytest.mark.parametrize('naive', NAIVE, ids=lambda naive: naive.__name__)
def test_what_is_naive_fails(raw, naive, monkeypatch, runner):
    naive(monkeypatch.setattr)
    told = []
    for number in range(MOST_HISTORIES):
        history = History(raw, f'naive {number}', runner)
        try:
            history.run()
            history.end()
        except AssertionError as error:
            told.append(str(error))
            if NAIVE[naive] in told[-1]:
                return
    pytest.fail(f'{MOST_HISTORIES} histories do not show it: {told}')
