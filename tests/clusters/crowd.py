"""Readers, writers and resetters in a process of their own. The rule: each writes down what was
acknowledged, and a judge that shares no code with the library compares it with what is stored.

    python -m clusters.crowd '{"cluster": true, "host": ..., "port": ...}' threads /tmp/hold

A line on the standard input ends it; then it prints its notes as JSON. Writers and resetters rest
while the file exists, so that replicas can catch up before an event.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import threading
import time
from pathlib import Path
from typing import Any

import IndexedRedis as IR
from IndexedRedis import IndexedRedisModel, IRField

SIZE = 40
READERS, WRITERS = 2, 2


class Entry(IndexedRedisModel):
    """What writers save, one by one and in lists; each name is used once."""

    FIELDS = [IRField('name'), IRField('n', valueType=int)]
    INDEXED_FIELDS = ['n']
    KEY_NAME = '{crowd}Entry'


class ThreadsRow(IndexedRedisModel):
    """A data set that threads replace."""

    FIELDS = [IRField('n', valueType=int), IRField('edition', valueType=int)]
    INDEXED_FIELDS = ['n', 'edition']
    KEY_NAME = '{crowd}ThreadsRow'


class TasksRow(ThreadsRow):
    """A data set that tasks replace."""

    KEY_NAME = '{crowd}TasksRow'


SETS = {'threads': ThreadsRow, 'tasks': TasksRow}


class Notes:
    """What one member did: rounds, longest time between two of them, errors, what it saw."""

    def __init__(self, role: str, hold: Path) -> None:
        self.role, self._hold = role, hold
        self.rounds, self.gap, self.busy = 0, 0.0, False
        self.errors: list[str] = []
        self.wrong: list[str] = []
        #: by name: `n` if saved, None if deleted, 'unknown' after an error
        self.entries: dict[str, Any] = {}
        #: the last edition that was acknowledged, and those that were tried since
        self.editions: list[int] = []
        self.begin()

    def begin(self) -> None:
        """Begin to measure."""
        self._last = time.monotonic()

    def rests(self) -> bool:
        """Whether to wait, since the file to hold exists."""
        self.busy = not self._hold.exists()
        if not self.busy:
            self.begin()
        return not self.busy

    def done(self, error: BaseException | None = None) -> None:
        """Note the end of a round."""
        now = time.monotonic()
        if error is not None:
            self.errors.append(f'{now - self._last:.2f} s: {error!r}')
        else:
            if self.rounds:  # the first one connects, and imports
                self.gap = max(self.gap, now - self._last)
            self.rounds += 1
            self._last = now


def rows(kind: str, edition: int) -> list[Any]:
    """A data set."""
    return [SETS[kind](n=n % 7, edition=edition) for n in range(SIZE)]


class Reader:
    """Reads in several ways; each answer has to be of one edition and whole."""

    def __init__(self, notes: Notes) -> None:
        self.notes, self._seen = notes, dict.fromkeys(SETS, 0)

    async def act(self, call: Any) -> None:
        kind = random.choice(list(SETS))
        query = SETS[kind].objects.filter(edition__ne=0)
        way = random.randrange(3)
        if way == 0:
            if (count := await call(query, 'count')) != SIZE:
                self.notes.wrong.append(f'{count} rows counted')
            return
        some = way == 1
        found = await call(query.filter(n=3) if some else query, 'all')
        editions = {row.edition for row in found}
        if len(editions) != 1 or len(found) != (len(range(3, SIZE, 7)) if some else SIZE):
            self.notes.wrong.append(f'{len(found)} rows of {len(editions)} editions')
            return
        (edition,) = editions
        if edition < self._seen[kind]:
            self.notes.wrong.append(f'edition {edition} after {self._seen[kind]}')
        self._seen[kind] = edition


class Writer:
    """Saves, changes and deletes objects that are its own."""

    def __init__(self, notes: Notes) -> None:
        self.notes, self._known, self._count = notes, {}, 0

    async def act(self, call: Any) -> None:
        way = random.choice(['insert', 'insert', 'list', 'update', 'delete'])
        names = random.sample(sorted(self._known), 1) if self._known else []
        if way in ('insert', 'list') or not names:
            names = [self._new() for _ in range(3 if way == 'list' else 1)]
        objs = [self._known[name] for name in names]
        for name, obj in zip(names, objs, strict=True):
            obj.n = random.randrange(100)
            self.notes.entries[name] = 'unknown'
        if way == 'delete':
            await call(Entry.deleter, 'deleteMultiple', objs)
        else:
            await call(Entry.saver, 'save', objs if way == 'list' else objs[0])
        for name, obj in zip(names, objs, strict=True):
            self.notes.entries[name] = None if way == 'delete' else obj.n
            if way == 'delete':
                del self._known[name]

    def _new(self) -> str:
        self._count += 1
        name = f'{self.notes.role} {self._count}'
        self._known[name] = Entry(name=name)
        return name


class Resetter:
    """Replaces a data set."""

    def __init__(self, notes: Notes, kind: str) -> None:
        self.notes, self._kind, self._edition = notes, kind, 1
        notes.editions = [1]

    async def act(self, call: Any) -> None:
        self._edition += 1
        self.notes.editions.append(self._edition)
        await call(SETS[self._kind], 'reset', rows(self._kind, self._edition))
        self.notes.editions = [self._edition]


def members(kind: str, hold: Path) -> list[Any]:
    """The members of a process of this kind."""
    resetter = Resetter(Notes(f'{kind} resetter', hold), kind)
    readers = [Reader(Notes(f'{kind} reader {i}', hold)) for i in range(READERS)]
    return [
        resetter,
        *readers,
        *(Writer(Notes(f'{kind} writer {i}', hold)) for i in range(WRITERS)),
    ]


async def live(member: Any, call: Any, ended: threading.Event, pause: Any) -> None:
    """Act until the end."""
    notes = member.notes
    notes.begin()
    while not ended.is_set():
        if not isinstance(member, Reader) and notes.rests():
            await pause(0.005)
            continue
        try:
            await member.act(call)
        except Exception as error:
            notes.done(error)
            await pause(0.01)
        else:
            notes.done()
            await pause(0.002)


async def at_once(place: Any, name: str, *args: Any) -> Any:
    """Call a method of threads."""
    return getattr(place, name)(*args)


async def awaited(place: Any, name: str, *args: Any) -> Any:
    """Call a method of asyncio."""
    return await getattr(place, f'a{name}')(*args)


async def sleep(seconds: float) -> None:
    """Sleep, as a thread does."""
    time.sleep(seconds)


def run(coroutine: Any) -> None:
    """Run a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration:
        return


async def in_tasks(everybody: list[Any], ended: threading.Event) -> None:
    """Have everybody live in a task."""
    await asyncio.gather(*(live(each, awaited, ended, asyncio.sleep) for each in everybody))
    await IR.aclose()


def main(params: str, kind: str, hold: str) -> None:
    """Live until a line comes."""
    IR.setDefaultRedisConnectionParams(json.loads(params))
    everybody, ended = members(kind, Path(hold)), threading.Event()
    if kind == 'tasks':
        threads = [threading.Thread(target=lambda: asyncio.run(in_tasks(everybody, ended)))]
    else:
        threads = [
            threading.Thread(target=run, args=(live(each, at_once, ended, sleep),))
            for each in everybody
        ]
    for thread in threads:
        thread.start()
    print('ready', flush=True)
    while sys.stdin.readline() == 'how\n':
        print(json.dumps([(each.notes.rounds, each.notes.busy) for each in everybody]), flush=True)
    ended.set()
    for thread in threads:
        thread.join()
    notes = [{k: v for k, v in vars(e.notes).items() if k[0] != '_'} for e in everybody]
    print(json.dumps(notes), flush=True)


if __name__ == '__main__':
    main(*sys.argv[1:])
