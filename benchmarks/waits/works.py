"""List and prepare long operations, in the process of the library that carries them out."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ..rows.dataset import load
from ..running.work import Job, Served, Work
from ..subjects.library import Subject

HOLD_SECONDS = 0.5  # how long a reset keeps the model's lock
BULK = 5_000
MODEL = 'mirrors:Row'


class Context(Served):
    """What works are done on.

    :param data: the file of the rows that writes store
    :param filters: the command line's filters that few rows match, and those that many match
    :param rows: describes the rows to :mod:`.mirrors`
    :param folder: for the files of commands
    """

    def __init__(
        self, data: str, filters: list[list[str]], rows: str, folder: str, **config: Any
    ) -> None:
        super().__init__(**config)
        if hasattr(os, 'geteuid') and os.geteuid() == 0:  # server and reader come first
            os.nice(19)
        os.environ['BENCHMARKS_ROWS'] = rows
        self.url = 'redis://{host}:{port}/{db}'.format(**self.connection)
        self.data, self.filters, self.folder = load(data), filters, Path(folder)
        self.model: Any = Subject(self.connection, self.data).model

    def works(self, group: str) -> Iterator[Work]:
        """Yield the mirrors and other commands, then the writes."""
        yield from _commands(self)
        yield from _writes(self)

    def run(self, *args: str) -> Any:
        """Run a command of the command line; return its exit status and resources."""
        line = [sys.executable, '-m', 'IndexedRedis', *args, '--url', self.url]
        output = self.folder / 'output'
        with output.open('wb') as file:
            process = subprocess.Popen(line, stdout=file, stderr=file, cwd=Path(__file__).parent)
            _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            print(f'{" ".join(args)}: {output.read_text("utf-8").splitlines()[-1]}')
        return process.returncode, usage


serve = Context


def _commands(at: Context) -> Iterator[Work]:
    few, many = at.filters
    file, everything = str(at.folder / 'rows.jsonl'), ['mirror', 'mirrors:everything']
    first = f'mirror of {at.sizes.waits:,} rows, first'

    def prepare(name: str, args: list[str]) -> Job:
        if name == first:
            at.client.flushdb()
        elif not at.client.dbsize():  # a run of some works only
            at.run(*everything)
        return Job(partial(at.run, *args), more=partial(more, at.sizes.waits * ('mirror' in args)))

    def more(mirrored: int, done: Any, seconds: float) -> dict[str, float]:
        status, usage = done
        figures = {'status': status, 'peak, MB': usage.ru_maxrss / 1024}
        return {**figures, 'rows/s': mirrored / seconds} if mirrored else figures

    pause = Job(partial(time.sleep, min(5, 10 * at.sizes.rest)))
    yield Work('nothing', lambda: pause, how='beside', warm_up=0)
    for name, args in {
        first: everything,
        first.replace('first', 'again'): everything,
        f'{first.removesuffix(", first")}, without the link': ['mirror', 'mirrors:plain'],
        'mirror --mode diff, nothing changed': [*everything, '--mode', 'diff'],
        'mirror --mode diff': ['mirror', 'mirrors:changed', '--mode', 'diff'],
        'models': ['models'],
        'info': ['info', MODEL],
        'explain, few rows': ['explain', MODEL, *few],
        'explain, many rows': ['explain', MODEL, *many],
        'explain --analyze, few rows': ['explain', MODEL, *few, '--analyze'],
        'check': ['check', MODEL],
        'repair': ['repair', '--yes', MODEL],
        'reindex': ['reindex', MODEL],
        'export': ['export', MODEL, '--output', file],
        'import, the same pks': ['import', MODEL, file],
        'import --new-pks': ['import', MODEL, file, '--new-pks'],
        'import --mode add': ['import', MODEL, file, '--mode', 'add'],
    }.items():
        yield Work(name, partial(prepare, name, args), how='beside', warm_up=0)


def _writes(at: Context) -> Iterator[Work]:
    model, count = at.model, f'{len(at.data.rows):,}'

    def new() -> list[Any]:
        model.deleter.destroyModel()
        return [model(**row) for row in at.data.dicts()]

    def stored() -> list[Any]:
        objects = new()
        for start in range(0, len(objects), BULK):
            model.saver.save(objects[start : start + BULK])
        return objects

    def changed() -> list[Any]:
        objects = stored()
        for number, obj in enumerate(objects):
            setattr(obj, at.data.changed, f'changed {number % 100}')
        return objects

    def prepare(objects: Callable[[], Any], write: Callable[[Any], Any], locked: bool) -> Job:
        run = partial(write, objects())
        return Job(partial(_beside_reset, model, run) if locked else run)

    for title, objects, write in (
        (f'saver.save() of {count} new objects', new, model.saver.save),
        (f'saver.save() of {count} changed objects', changed, model.saver.save),
        (f'deleter.deleteMultiple() of {count} objects', stored, model.deleter.deleteMultiple),
    ):
        work = Work(title, partial(prepare, objects, write, False), 'beside', rounds=at.sizes.slow)
        yield work
        name = f'{title}, a reset holding the lock at first'
        yield replace(work, name=name, prepare=partial(prepare, objects, write, True))


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
