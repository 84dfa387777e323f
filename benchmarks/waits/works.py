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

import redis

from IndexedRedis import setDefaultRedisConnectionParams

from ..rows.dataset import load
from ..running.processes import ROOT
from ..running.work import Job, Work
from ..sizes import SIZES

# A command with the library of this process, and with models of this folder.
COMMAND = """
import runpy, sys
sys.path.insert(0, {library!r})
import IndexedRedis
sys.path.insert(0, {root!r})
runpy.run_module('IndexedRedis', run_name='__main__', alter_sys=True)
"""
HOLD_SECONDS = 0.5  # how long a reset keeps the model's lock
BULK = 5_000
MODELS = 'benchmarks.waits.models'
MODEL = f'{MODELS}:Row'


class Context:
    """What works are done on.

    :param connection: connection parameters of a database
    :param data: the file of the rows that writes store
    :param sizes: the name of the sizes
    :param filters: the command line's filters that few rows match, and those that many match
    :param environment: variables that :mod:`.models` reads
    :param folder: for the files of commands
    """

    def __init__(
        self,
        connection: dict[str, Any],
        data: str,
        sizes: str,
        filters: list[list[str]],
        environment: dict[str, str],
        folder: str,
    ) -> None:
        os.environ.update(environment)
        if hasattr(os, 'geteuid') and os.geteuid() == 0:  # server and reader come first
            os.nice(19)
        setDefaultRedisConnectionParams(connection)
        from . import models

        self.models, self.connection, self.filters = models, connection, filters
        self.url = 'redis://{host}:{port}/{db}'.format(**connection)
        self.client = redis.Redis(**connection)
        self.data, self.sizes, self.folder = load(data), SIZES[sizes], Path(folder)
        self.mirrored = False

    def works(self, group: str) -> Iterator[Work]:
        """Yield the mirrors and commands, then the writes."""
        yield from _mirrors(self)
        yield from _commands(self)
        yield from _writes(self)

    def run(self, *args: str) -> Any:
        """Run a command of the command line; return its exit status and resources."""
        code = COMMAND.format(library=os.environ['PYTHONPATH'], root=str(ROOT))
        line = [sys.executable, '-c', code, *args, '--url', self.url]
        output = self.folder / 'output'
        with output.open('wb') as file:
            process = subprocess.Popen(line, stdout=file, stderr=file)
            _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            print(f'{" ".join(args)}: {output.read_text("utf-8").splitlines()[-1]}')
        return process.returncode, usage

    def mirror(self) -> Any:
        """Mirror all rows."""
        self.mirrored = True
        return self.run('mirror', f'{MODELS}:everything')


serve = Context


def _mirrors(at: Context) -> Iterator[Work]:
    def first() -> Job:
        at.models.Row.deleter.destroyModel()
        at.models.Parent.deleter.destroyModel()
        return Job(at.mirror, more=partial(_more, at.sizes.waits))

    def again(*args: str) -> Job:
        run = partial(at.run, 'mirror', *args)
        return _after_mirror(at, run, at.sizes.waits)

    name = f'mirror of {at.sizes.waits:,} rows'
    for title, prepare in (
        (f'{name}, first', first),
        (f'{name}, again', partial(again, f'{MODELS}:everything')),
        ('mirror --mode diff', partial(again, f'{MODELS}:changed', '--mode', 'diff')),
    ):
        yield Work(title, prepare, how='beside', warm_up=0)


def _commands(at: Context) -> Iterator[Work]:
    few, many = at.filters
    file = str(at.folder / 'rows.jsonl')
    pause = partial(time.sleep, min(5, 10 * at.sizes.quiet))
    yield Work('nothing', lambda: Job(pause), how='beside', warm_up=0)
    for name, args in {
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
        prepare = partial(_after_mirror, at, partial(at.run, *args))
        yield Work(name, prepare, how='beside', warm_up=0)


def _after_mirror(at: Context, run: Callable[[], Any], rows: int = 0) -> Job:
    if not at.mirrored:
        at.mirror()
    return Job(run, more=partial(_more, rows))


def _more(rows: int, done: Any, seconds: float) -> dict[str, float]:
    """Return further figures of a command.

    :param rows: that it mirrors
    """
    status, usage = done
    figures = {'status': status, 'peak, MB': usage.ru_maxrss / 1024}
    return {**figures, 'rows/s': rows / seconds} if rows else figures


def _writes(at: Context) -> Iterator[Work]:
    model, count = at.models.Written, f'{len(at.data.rows):,}'

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
