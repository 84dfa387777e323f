"""Readers, writers and a resetter over one model with partitions, as threads of a process. The
rule: each writes down what it does before and afterwards, so that it may be killed at any moment.

    python -m partitions.crowd '{"cluster": true, ...}' /tmp/diary 4 1000
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from itertools import count
from pathlib import Path
from typing import Any

import IndexedRedis as IR
from IndexedRedis._core.locking import locks
from partitions.naive import NAIVE
from partitions.rows import Row, data_set, process

READERS, WRITERS = 2, 2
LOCK_MS = 1000


class Diary:
    """A file that threads append lines to."""

    def __init__(self, path: Path) -> None:
        self._file, self._numbers, self._lock = path.open('ab', 0), count(), threading.Lock()

    def begin(self, kind: str, values: Any = None) -> int:
        number = next(self._numbers)
        self._write(of=number, kind=kind, values=values, began=time.monotonic())
        return number

    def end(self, number: int, result: Any, error: Exception | None) -> None:
        told = f'{type(error).__name__}: {error}' if error else ''
        self._write(of=number, ended=time.monotonic(), result=result, error=told)

    def _write(self, **line: Any) -> None:
        with self._lock:
            self._file.write(json.dumps(line).encode() + b'\n')


class Member(threading.Thread):
    """Does one kind of thing, again and again."""

    def __init__(self, diary: Diary, model: Any, first: int) -> None:
        super().__init__(daemon=True)
        self._diary, self._model, self._numbers = diary, model, count(first)
        self._own: list[Any] = []

    def note(self, kind: str, act: Any, values: Any = None, objs: Any = ()) -> bool:
        """Do it, write it down; whether it was done.

        :param objs: those that are written
        """
        number = self._diary.begin(kind, values)
        try:
            result = act()
        except Exception as error:
            self._diary.end(number, None, error)
            time.sleep(0.02)
            return False
        told: Any = None
        if kind == 'read':
            told = [(r._id, r.edition, r.n, r.name) for r in result]
        elif kind == 'write':
            told = [(obj.name, obj._id) for obj in objs if obj._id is not None]
        self._diary.end(number, told, None)
        return True


class Reader(Member):
    def run(self) -> None:
        while True:
            objects = self._model.objects
            query = random.choice([objects, objects.filter(n__ne=-1), objects.orderBy('n')])
            self.note('read', query.all)
            time.sleep(0.003)


class Writer(Member):
    def run(self) -> None:
        for number in self._numbers:
            way = random.choice(['save', 'save', 'list', 'change', 'delete'])
            some = [random.choice(self._own)] if self._own else []
            if way in ('save', 'list') or not some:
                size = 3 if way == 'list' else 1
                some = [self._model(edition=0, name=f'extra {number}.{i}') for i in range(size)]
            else:
                self._own.remove(some[0])
            gone = way == 'delete' and some[0]._id is not None
            for obj in some:
                obj.n = number
            values = {obj.name: None if gone else obj.n for obj in some}
            model = self._model
            act = model.deleter.deleteMultiple if gone else model.saver.save
            if self.note('write', lambda: act(some), values, some) and not gone:  # noqa: B023
                self._own += some
            time.sleep(0.003)


class Resetter(Member):
    def run(self) -> None:
        for number in self._numbers:
            rows = data_set(self._model, number)
            self.note('reset', lambda: self._model.reset(rows), number)  # noqa: B023
            time.sleep(0.03)


def main(params: str, diary: str, partitions: str, first: str, lacks: str = '') -> None:
    """Live until killed.

    :param lacks: the name of a function of ``naive.py``; empty: nothing
    """
    locks.LOCK_MS = LOCK_MS  # a killed process would hold up everybody for ten seconds
    for naive in NAIVE:
        if naive.__name__ == lacks:
            naive(setattr)
    IR.setDefaultRedisConnectionParams(json.loads(params))
    Row.ACKNOWLEDGED_BY = 1
    book, start = Diary(Path(diary)), int(first)
    kinds = [*[Reader] * READERS, *[Writer] * WRITERS, Resetter]
    for place, kind in enumerate(kinds):
        model = process(0, int(partitions))
        kind(book, model, start + 10_000 * place).start()
    print('ready', flush=True)
    threading.Event().wait()


if __name__ == '__main__':
    main(*sys.argv[1:])
