"""Measure how long other clients wait beside long operations: a PING on a second connection."""

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

from ..dataset import Dataset, make
from ..machine import come_first
from ..results import BEFORE, US, Result
from ..run import Run
from ..running.served import Job, Served, Work
from ..running.turns import compare
from ..subjects.library import model_of

MODELS = Path(__file__).parents[1] / 'subjects'  # where commands find `mirrors`
HOLD_SECONDS = 0.5  # how long a reset keeps the model's lock
BULK = 5_000


def waits(run: Run) -> Iterator[Result]:
    """Store the rows in SQL; measure the waits beside each command, then beside each write."""
    come_first(run.server)
    name = run.options.data
    _store(make(name, run.sizes.waits), run.folder / 'rows.sqlite')
    crew = run.crew('waits', run.chosen(US, BEFORE), data=name, folder=str(run.folder))
    yield from compare(run, 'waits', crew)


def _store(data: Dataset, path: Path) -> None:
    """Store the rows, numbered, in a SQLite database."""
    columns = ', '.join(['number INTEGER PRIMARY KEY', *data.kinds])
    marks = ', '.join('?' * (1 + len(data.kinds)))
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f'CREATE TABLE rows ({columns})')
        rows = ((number, *row) for number, row in enumerate(data.rows, 1))
        database.executemany(f'INSERT INTO rows VALUES ({marks})', rows)


class Waits(Served):
    """What works are done on.

    :param data: the name of the rows
    :param folder: of the SQLite database, and for the files of commands
    """

    def __init__(self, data: str, folder: str, **config: Any) -> None:
        super().__init__(**config)
        if hasattr(os, 'geteuid') and os.geteuid() == 0:  # server and reader come first
            os.nice(19)
        self.data, self.folder = make(data, self.sizes.written), Path(folder)
        rows = {name: getattr(self.data, name) for name in ('kinds', 'indexed', 'changed')}
        rows['url'] = f'sqlite:///{folder}/rows.sqlite'
        os.environ['BENCHMARKS_ROWS'] = json.dumps(rows)
        self.model = model_of(self.connection, self.data.kinds, self.data.indexed)

    def waits(self) -> Iterator[Work]:
        """Yield the mirrors and other commands, then the writes."""
        yield from self._commands()
        yield from self._writes()

    def _commands(self) -> Iterator[Work]:
        file, everything = str(self.folder / 'rows.jsonl'), ['mirror', 'mirrors:everything']
        model, mirror = 'mirrors:Row', f'mirror of {self.sizes.waits:,} rows'

        def prepare(name: str, args: list[str]) -> Job:
            if name == f'{mirror}, first':
                self.client.flushdb()
            elif not self.client.dbsize():  # a run of some works only
                self._run(*everything)
            return Job(partial(self._run, *args), more=partial(more, 'mirror' in args))

        def more(mirrors: bool, done: Any, seconds: float) -> dict[str, float]:
            status, usage = done
            figures = {'status': status, 'peak, MB': usage.ru_maxrss / 1024}
            return {**figures, 'rows/s': self.sizes.waits / seconds} if mirrors else figures

        for name, args in {
            f'{mirror}, first': everything,
            f'{mirror}, again': everything,
            'mirror --mode diff, nothing changed': [*everything, '--mode', 'diff'],
            'mirror --mode diff': ['mirror', 'mirrors:changed', '--mode', 'diff'],
            'info': ['info', model],
            'check': ['check', model],
            'repair': ['repair', '--yes', model],
            'reindex': ['reindex', model],
            'export': ['export', model, '--output', file],
            'import, the same pks': ['import', model, file],
            'import --new-pks': ['import', model, file, '--new-pks'],
            'import --mode add': ['import', model, file, '--mode', 'add'],
        }.items():
            yield Work(name, partial(prepare, name, args), how='beside', warm_up=0)

    def _run(self, *args: str) -> Any:
        """Run a command of the command line; return its exit status and resources."""
        line = [sys.executable, '-m', 'IndexedRedis', *args, '--url', self.url]
        output = self.folder / 'output'
        with output.open('wb') as file:
            process = subprocess.Popen(line, stdout=file, stderr=file, cwd=MODELS)
            _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            print(f'{" ".join(args)}: {output.read_text("utf-8").splitlines()[-1]}')
        return process.returncode, usage

    def _writes(self) -> Iterator[Work]:
        save, delete = self.model.saver.save, self.model.deleter.deleteMultiple
        count = f'{len(self.data.rows):,}'

        def prepare(objects: Callable[[], Any], write: Callable[[Any], Any], locked: bool) -> Job:
            run = partial(write, objects())
            return Job(partial(_beside_reset, self.model, run) if locked else run)

        for title, objects, write in (
            (f'saver.save() of {count} new objects', self._new, save),
            (f'saver.save() of {count} changed objects', self._changed, save),
            (f'deleter.deleteMultiple() of {count} objects', self._stored, delete),
        ):
            for end, locked in ('', False), (', a reset holding the lock at first', True):
                prepared = partial(prepare, objects, write, locked)
                yield Work(title + end, prepared, how='beside', rounds=self.sizes.slow)

    def _new(self) -> list[Any]:
        self.model.deleter.destroyModel()
        return [self.model(**row) for row in self.data.dicts()]

    def _stored(self) -> list[Any]:
        objects = self._new()
        for start in range(0, len(objects), BULK):
            self.model.saver.save(objects[start : start + BULK])
        return objects

    def _changed(self) -> list[Any]:
        objects = self._stored()
        for number, obj in enumerate(objects):
            setattr(obj, self.data.changed, f'changed {number % 100}')
        return objects


serve = Waits


class _Abandoned(Exception):
    """Ends a reset before its swap."""


def _beside_reset(model: Any, write: Callable[[], Any]) -> None:
    """Write while a reset holds the model's lock, which it gives back soon."""
    held = threading.Event()

    def stalled() -> Iterator[Any]:
        yield from (model() for _ in range(2_000))  # the reset stages some of them, so it has begun
        held.set()
        time.sleep(HOLD_SECONDS)
        raise _Abandoned

    def reset() -> None:
        with suppress(_Abandoned):
            model.reset(stalled())

    thread = threading.Thread(target=reset)
    thread.start()
    held.wait()
    write()
    thread.join()
