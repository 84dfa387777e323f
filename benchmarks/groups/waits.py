"""Measure how long other clients wait beside mirrors and long writes."""

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
from ..running.run import Run
from ..running.served import Served, Work
from ..running.turns import compare
from ..subjects.library import model_of

MODELS = Path(__file__).parents[1] / 'subjects'  # where commands find `mirrors`
HOLD_SECONDS = 0.5  # how long a reset keeps the model's lock


def waits(run: Run) -> Iterator[Result]:
    """Store the rows in SQL; measure the waits beside each run of a mirror, then beside writes."""
    come_first(run.server)
    name, path = run.options.data, run.folder / 'rows.sqlite'
    _store(make(name, run.sizes.waits), path)
    how = {'data': make(name, run.sizes.written), 'source': f'sqlite:///{path}'}
    yield from compare(run, 'waits', run.crew('waits', run.chosen(US, BEFORE), **how))


def _store(data: Dataset, path: Path) -> None:
    """Store the rows, numbered, in a SQLite database."""
    columns = ', '.join(['number INTEGER PRIMARY KEY', *data.kinds])
    marks = ', '.join('?' * (1 + len(data.kinds)))
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f'CREATE TABLE rows ({columns})')
        rows = ((number, *row) for number, row in enumerate(data.rows, 1))
        database.executemany(f'INSERT INTO rows VALUES ({marks})', rows)


class Waits(Served):
    """A model that is saved, and mirrors of the SQL database at the URL ``source``."""

    def __init__(self, data: Dataset, source: str, **config: Any) -> None:
        super().__init__(**config)
        if hasattr(os, 'geteuid') and os.geteuid() == 0:  # server and reader come first
            os.nice(19)
        self.data = data
        rows = {name: getattr(data, name) for name in ('kinds', 'indexed', 'changed')}
        os.environ['BENCHMARKS_ROWS'] = json.dumps({**rows, 'url': source})
        self.model = model_of(self.connection, data.kinds, data.indexed)

    def waits(self) -> Iterator[Work]:
        """Yield the runs of a mirror, then long writes."""
        first, everything = f'mirror of {self.sizes.waits:,} rows, first', ['mirrors:everything']

        def prepare(name: str) -> None:
            if name == first:
                self.client.flushdb()
            elif not self.client.dbsize():  # a run of some works only
                self._run(*everything)

        for name, args in {
            first: everything,
            f'mirror of {self.sizes.waits:,} rows, again': everything,
            'mirror --mode diff, nothing changed': [*everything, '--mode', 'diff'],
            'mirror --mode diff': ['mirrors:changed', '--mode', 'diff'],
        }.items():
            how = {'more': lambda status: {'status': status}, 'how': 'beside', 'warm_up': 0}
            yield Work(name, partial(self._run, *args), partial(prepare, name), **how)
        save, delete = self.model.saver.save, self.model.deleter.deleteMultiple
        count = f'{len(self.data.rows):,}'
        for name, made, write in (
            (f'saver.save() of {count} new objects', self._new, save),
            (f'saver.save() of {count} changed objects', self._changed, save),
            (f'deleter.deleteMultiple() of {count} objects', self._stored, delete),
        ):
            how = {'how': 'beside', 'rounds': self.sizes.slow}
            yield Work(name, write, made, **how)
            locked = f'{name}, a reset holding the lock at first'
            yield Work(locked, partial(self._beside_a_reset, write), made, **how)

    def _new(self) -> list[Any]:
        self.model.deleter.destroyModel()
        return [self.model(**row) for row in self.data.dicts()]

    def _stored(self) -> list[Any]:
        objects = self._new()
        self.model.saver.save(objects)
        return objects

    def _changed(self) -> list[Any]:
        objects = self._stored()
        for number, obj in enumerate(objects):
            setattr(obj, self.data.changed, f'changed {number % 100}')
        return objects

    def _beside_a_reset(self, write: Callable[[Any], Any], objects: list[Any]) -> None:
        """Write while a reset holds the model's lock, which it gives back soon."""
        held = threading.Event()

        def stalled() -> Iterator[Any]:
            yield from (self.model() for _ in range(2_000))  # it stages some, so it has begun
            held.set()
            time.sleep(HOLD_SECONDS)
            raise _Abandoned

        def reset() -> None:
            with suppress(_Abandoned):
                self.model.reset(stalled())

        thread = threading.Thread(target=reset)
        thread.start()
        held.wait()
        write(objects)
        thread.join()

    def _run(self, *args: str) -> int:
        """Run a mirror by the command line; return its exit status."""
        line = [sys.executable, '-m', 'IndexedRedis', 'mirror', *args, '--url', self.url]
        done = subprocess.run(line, cwd=MODELS, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f'{" ".join(args)}: {done.stderr.splitlines()[-1]}')
        return done.returncode


class _Abandoned(Exception):
    """Ends a reset before its swap."""


serve = Waits
