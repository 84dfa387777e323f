"""Prepare long operations, in the process of the library that carries them out."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import redis

from ..rows.dataset import load
from ..running.work import Job

HOLD_SECONDS = 0.5  # how long a reset keeps the model's lock


class Context:
    """What tasks work on.

    :param connection: connection parameters of a database
    :param data: the file of the rows that writes store
    :param environment: variables that :mod:`.model` and :mod:`.mirrors` read
    :param output: the file for the output of commands
    :param quiet: seconds that a reader reads beside nothing
    """

    def __init__(
        self,
        connection: dict[str, Any],
        data: str,
        environment: dict[str, str],
        output: str,
        quiet: float,
    ) -> None:
        os.environ.update(environment)
        if hasattr(os, 'geteuid') and os.geteuid() == 0:  # server and reader come first
            os.nice(19)
        from IndexedRedis import setDefaultRedisConnectionParams

        from .model import Written

        setDefaultRedisConnectionParams(connection)
        self.connection, self.output, self.quiet = connection, Path(output), quiet
        self.url = 'redis://{host}:{port}/{db}'.format(**connection)
        self.client = redis.Redis(**connection)
        self.model, self.data, self.tasks = Written, load(data), TASKS

    def objects(self) -> list[Any]:
        """Return new objects, the model being empty."""
        self.model.deleter.destroyModel()
        return [self.model(**row) for row in self.data.dicts()]

    def saved(self) -> list[Any]:
        """Return objects that are stored."""
        objects = self.objects()
        for start in range(0, len(objects), 5_000):
            self.model.saver.save(objects[start : start + 5_000])
        return objects


serve = Context


def nothing(at: Context, seconds: float) -> Job:
    """Nothing, for some seconds."""
    return Job(lambda: time.sleep(seconds))


def command(at: Context, args: list[str], rows: int = 0) -> Job:
    """A command of the command line, in a process of its own.

    :param rows: that a mirror reads
    """
    line = [sys.executable, '-m', 'IndexedRedis', *args, '--url', at.url]

    def run() -> Any:
        with at.output.open('wb') as output:
            process = subprocess.Popen(line, stdout=output, stderr=output)
            _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        return process.returncode, usage

    def more(done: Any, seconds: float) -> dict[str, float]:
        status, usage = done
        if status:
            print(f'{" ".join(args)}: {at.output.read_text("utf-8").splitlines()[-1]}')
        figures = {'status': status, 'peak, MB': usage.ru_maxrss / 1024}
        return {**figures, 'rows/s': rows / seconds} if rows else figures

    return Job(run, more=more)


def insert(at: Context, locked: bool) -> Job:
    """``saver.save`` of new objects."""
    objects = at.objects()
    return _write(at, locked, lambda: at.model.saver.save(objects))


def change(at: Context, locked: bool) -> Job:
    """``saver.save`` of objects with one changed indexed field each."""
    objects = at.saved()
    for number, obj in enumerate(objects):
        setattr(obj, at.data.changed, f'changed {number % 100}')
    return _write(at, locked, lambda: at.model.saver.save(objects))


def delete(at: Context, locked: bool) -> Job:
    """``deleter.deleteMultiple`` of stored objects."""
    objects = at.saved()
    return _write(at, locked, lambda: at.model.deleter.deleteMultiple(objects))


TASKS: dict[str, Callable[..., Job]] = {
    task.__name__: task for task in (nothing, command, insert, change, delete)
}


class _Abandoned(Exception):
    """Ends a reset before its swap."""


def _write(at: Context, locked: bool, write: Callable[[], Any]) -> Job:
    """Return the job of a write.

    :param locked: whether a reset holds the model's lock at first
    """

    def run() -> None:
        if not locked:
            write()
            return
        held = threading.Event()

        def stalled() -> Iterator[Any]:
            # Of an iterator, a reset stages the first objects before it asks for all.
            yield from (at.model() for _ in itertools.repeat(None, 2_000))
            held.set()
            time.sleep(HOLD_SECONDS)
            raise _Abandoned

        def reset() -> None:
            with suppress(_Abandoned):
                at.model.reset(stalled())

        thread = threading.Thread(target=reset)
        thread.start()
        held.wait()
        write()
        thread.join()

    return Job(run)
