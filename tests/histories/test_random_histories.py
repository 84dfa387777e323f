"""Six processes do whatever comes, and are killed and stopped at random. The rule: every read, and
what is stored in the end, is explained by what they wrote.

    pytest tests/histories/test_random_histories.py --minutes 10 --seed 7

Without `--full` and `--minutes` it takes a few seconds, with `--full` a minute.
"""

from __future__ import annotations

import signal
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
from faults.item import Box, Item
from faults.judge import Fault, Judge, Read, Write, load
from faults.lives import text
from faults.writers.workers import Worker, crew, wait_until
from judge.checker import check_model
from support import servers

PROCESSES, NAME = 6, 'one-of-six'
ROUND_SECONDS, LONGEST_STOP = 25, 13
# Between two kills or stops.
PAUSE_SECONDS = 0.4


class Round:
    """Some seconds of six processes over an empty database."""

    def __init__(self, params: dict[str, Any], seed: str, seconds: float, folder: Path) -> None:
        self._params, self._seconds, self._folder = params, seconds, folder
        self._chance = Random(seed)
        self._diaries: dict[Worker, Path] = {}
        self._stopped: dict[Worker, float] = {}
        #: when the writer of each diary was killed
        self.died: dict[Path, float] = {}
        self.counts: Counter[str] = Counter()

    def run(self) -> None:
        """Let them live; all are dead afterwards."""
        with crew(self._params, PROCESSES) as workers:
            try:
                self._live(workers)
            finally:  # nobody else would end them
                for worker in self._diaries:
                    with suppress(ProcessLookupError, AssertionError):
                        worker.signal()

    def _live(self, workers: list[Worker]) -> None:
        for worker in workers:
            self._begin(worker)
        wait_until(lambda: all(path.stat().st_size for path in self._diaries.values()))
        end = time.monotonic() + self._seconds
        while time.monotonic() < end:
            time.sleep(self._chance.uniform(0, 2 * PAUSE_SECONDS))
            self._meddle(self._chance.choice(workers))
        for worker in workers:
            self._kill(worker)

    def _begin(self, worker: Worker) -> None:
        number = len(self.died) + len(self._diaries)
        diary = self._diaries[worker] = self._folder / f'{number}.jsonl'
        diary.touch()
        # Locks of the real length hold up everybody for ten seconds when their owner dies.
        long = self._seconds > LONGEST_STOP and self._chance.random() < 0.1
        worker.start(
            'live',
            seed=self._chance.randrange(2**32),
            first=1 + 1_000_000 * number,
            diary=str(diary),
            lock_ms=10_000 if long else 500,
            small=self._chance.random() < 0.7,
        )

    def _meddle(self, worker: Worker) -> None:
        """Kill a process and begin another one, or stop it for a while."""
        now = time.monotonic()
        for other in [each for each, until in self._stopped.items() if until < now]:
            self._signal(other, signal.SIGCONT)
            del self._stopped[other]
        if self._chance.random() < 0.5:
            self._kill(worker)
            self._begin(worker)
        elif worker not in self._stopped:
            longest = LONGEST_STOP if self._chance.random() < 0.1 else 1
            self._stopped[worker] = now + self._chance.uniform(0, min(longest, self._seconds))
            self._signal(worker, signal.SIGSTOP)
            self.counts['stops'] += 1

    def _signal(self, worker: Worker, number: int) -> None:
        try:
            worker.signal(number)
        except ProcessLookupError:
            raise AssertionError(worker.outcome()['error']) from None

    def _kill(self, worker: Worker) -> None:
        self._signal(worker, signal.SIGKILL)
        outcome = worker.outcome()
        assert outcome['killed'], outcome['error']
        self.died[self._diaries.pop(worker)] = time.monotonic()
        self._stopped.pop(worker, None)
        self.counts['kills'] += 1


@pytest.mark.histories
@pytest.mark.timeout(0)
@pytest.mark.damaged  # what is left is judged here
def test_six_processes(redis_params, raw, tmp_path, request, full, figures, monkeypatch):
    option = request.config.getoption
    kinds = 1 if option('--server') or not full else len(servers.present())
    minutes = option('--minutes') or (1 if full else 0.05)
    end, number = time.monotonic() + 60 * minutes / kinds, 0
    while (left := end - time.monotonic()) > 1:
        number += 1
        folder = tmp_path / str(number)
        folder.mkdir()
        raw.flushall()
        seed = f'{option("--seed")} {number}'
        ordered = ['name', 'n', 'edition'] if Random(seed).random() < 0.5 else []
        monkeypatch.setattr(Item, 'SORTED_FIELDS', ordered)
        played = Round(
            {**redis_params, 'client_name': NAME}, seed, min(left, ROUND_SECONDS), folder
        )
        try:
            played.run()
            counts = judge(raw, played.died)
        except AssertionError as error:
            error.add_note(f'--seed {option("--seed")}, round {number}, diaries in {folder}')
            raise
        figures('random histories', rounds=1, **played.counts, **counts)


def judge(raw: Any, died: dict[Path, float]) -> dict[str, int]:
    """Compare what the diaries say with what is stored once it was repaired."""
    wait_until(lambda: all(client['name'] != NAME for client in raw.client_list()))
    # Whoever holds a lock counts as alive.
    wait_until(lambda: not raw.exists('_ir_|Item:tmp:lock', '_ir_|Box:tmp:lock'))
    writes, reads = load(died)
    torn_down = any(write.way == 'destroy' and write.outcome == 'unknown' for write in writes)
    for model in (Item, Box):
        report = model.objects.repair()
        assert report.ok
        # A model that is destroyed by half has to be repaired; nothing else does.
        told = f'{report.counts} {report.examples}'
        assert torn_down or set(report.counts) <= {'leftover'}, told
        wrong = check_model(raw, model)
        assert not wrong, '\n'.join([f'after {report.counts}:', *wrong])
    final = {int(pk): stored_row(raw, int(pk)) for pk in raw.smembers('_ir_|Item:keys')}
    court = Judge(writes)
    faults = [*court.faults(reads, final)]
    kinds = Counter(fault.what.partition(':')[0] for fault in faults)
    told = [f'{fault}\n{court.story(fault)}' for fault in faults[:3]]
    assert not faults, '\n'.join([*map(str, kinds.items()), *told])
    return {'writes': len(writes), 'reads': len(reads)}


def stored_row(raw: Any, pk: int) -> tuple[str, int, int]:
    name, n, edition = raw.hmget(f'_ir_|Item:data:{pk}', 'name', 'n', 'edition')
    return name.decode(), int(n), int(edition)


# -- the judge itself ------------------------------------------------------------------------------


def write(number: int, rows: Any = (), began: float | None = None, **more: Any) -> Write:
    """A write that lasted a tenth of a second, from second 10 * `number` on."""
    began = 10 * number if began is None else began
    how = {'gone': [], 'wipes': None, 'whole': True, 'outcome': 'done', 'ended': began + 0.1}
    return Write(number, 'insert_many', began, [[pk, n] for pk, n in rows], **{**how, **more})


def row(number: int, place: int = 0, n: int = 0) -> tuple[str, int, int]:
    return text(number, place, n), n, number


FIRST = write(1, [(1, 0), (2, 0)])
BOTH = {1: row(1), 2: row(1, 1)}
KILLED = {'outcome': 'unknown', 'ended': 20.1}
CASES: dict[str, Any] = {
    'right': ([FIRST], BOTH, ''),
    'missing': ([FIRST], {1: row(1)}, 'missing'),
    'deleted': ([FIRST, write(2, gone=[2])], {1: row(1)}, ''),
    'not deleted': ([FIRST, write(2, gone=[2])], BOTH, 'overwritten or deleted'),
    'not wiped': ([FIRST, write(2, wipes='all')], BOTH, 'overwritten or deleted'),
    'wiped': ([FIRST, write(2, wipes=0)], {}, ''),
    'wiped by a killed one': ([FIRST, write(2, wipes='all', **KILLED)], {}, ''),
    'wiped by one that raised': ([FIRST, write(2, wipes='all', outcome='nothing')], {}, 'missing'),
    'wiped by another filter': ([FIRST, write(2, wipes=1)], {}, 'missing'),
    'lost update': ([FIRST, write(2, [(1, 3)])], BOTH, 'overwritten or deleted'),
    'two at once': ([FIRST, write(2, [(1, 3)], began=10.05)], BOTH, ''),
    'raised': ([FIRST, write(2, [(1, 3)], outcome='nothing')], BOTH | {1: row(2, 0, 3)}, 'raised'),
    'a mixture': ([FIRST, write(2, [(1, 3)])], BOTH | {1: (text(2, 0, 3), 0, 2)}, 'not whole'),
    'foreign': ([FIRST], BOTH | {3: row(1)}, 'another pk'),
    'killed': ([FIRST, write(2, [(1, 3), (2, 3)], **KILLED)], BOTH, ''),
    'killed and finished': (
        [FIRST, write(2, [(1, 3), (2, 3)], **KILLED)],
        {1: row(2, 0, 3), 2: row(2, 1, 3)},
        '',
    ),
    'half a list': (
        [FIRST, write(2, [(1, 3), (2, 3)], **KILLED)],
        {1: row(1), 2: row(2, 1, 3)},
        'written by half',
    ),
    'half a new list': ([write(2, [(None, 3)] * 2, **KILLED)], {2: row(2, 1, 3)}, 'by half'),
    'half a deletion': ([FIRST, write(2, gone=[1, 2], **KILLED)], {1: row(1)}, 'deleted by half'),
}


@pytest.mark.parametrize('case', CASES)
def test_the_judge(case):
    writes, final, expected = CASES[case]
    found = [fault.what for fault in Judge(writes).faults([], final)]
    assert bool(found) == bool(expected)
    assert all(expected in what for what in found)


def test_the_judge_of_reads():
    court = Judge([FIRST, write(3, gone=[2])])
    early, late = (Read('all', at, at + 1, BOTH, [], True) for at in (15, 35))
    assert [fault.pk for fault in court.faults([early, late], {1: row(1)})] == [2]
    absent = Read('get', 15, 16, {}, [2], False)
    assert [fault.pk for fault in court.faults([absent], {1: row(1)})] == [2]
    half = Read('all', 15, 16, {1: row(1)}, [], True)
    assert [fault.pk for fault in court.faults([half], {1: row(1)})] == [2]


def test_the_judge_of_pks():
    fresh = [write(number, [(None, 0)]) for number in (1, 3)]
    for each in fresh:
        each.rows = [[1, 0]]
    wipes = write(2, wipes='all')
    wipes.way = 'destroy'
    (found,) = Judge([*fresh, wipes]).faults([], {1: row(3)})
    assert found == Fault('a pk that 1 drew was drawn again', 1, 3)
