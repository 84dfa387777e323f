"""Prepare what subjects are timed for, in the subject's process.

A task is a function that prepares and returns a :class:`Job`. Only the job's ``run`` is timed.
"""

from __future__ import annotations

import asyncio
import gc
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import redis

from ..running.serving import plain
from ..running.work import Job
from ..subjects import make
from .dataset import Filters, load

SETTLE_SECONDS = 30  # a reset keeps what it replaced for 10 s


class Context:
    """What tasks work on.

    :param subject: its name
    :param connection: of the database with all rows, ``shelf``, which is only read; the next one,
        ``scratch``, is written to
    :param data: the file of the rows
    :param how: further arguments of the subject
    """

    def __init__(self, subject: str, connection: dict[str, Any], data: str, **how: Any) -> None:
        self.data = load(data)
        self.names = list(self.data.kinds)
        self.connection = {**connection, 'db': connection['db'] + 1}
        self.shelf = make(subject, connection, self.data, **how)
        self.scratch = make(subject, self.connection, self.data, **how)
        self.module = self.shelf.module
        self.client = redis.Redis(**self.connection)
        self.tasks = TASKS
        self.questions = _questions(self.shelf, self.data.three)

    def can(self, operation: str) -> bool:
        """Return whether the subject has an operation."""
        return not {operation, operation.partition('_')[0]} & self.shelf.cannot.keys()

    def keeps_nulls(self) -> bool:
        """Return whether the subject tells a null from '' and 0."""
        return self.shelf.keeps_nulls

    def fill(self) -> None:
        """Store all rows, for the tasks that read."""
        self.shelf.fill(self.rows())

    def clear(self) -> None:
        """Empty the database that is written to."""
        self.client.flushdb()

    def rows(self, start: int = 0, stop: int | None = None) -> list[dict[str, Any]]:
        """Return rows with the subject's nulls."""
        return self.shelf.given(self.data.dicts(start, stop))

    def memory(self, task: str, args: dict[str, Any]) -> dict[str, Any]:
        """Return the bytes of an object of a result in this process, every field being read."""
        read = self.shelf.reader(self.names)
        list(map(read, self.shelf.select(args['filters'])))  # fills what is made once
        gc.collect()
        tracemalloc.start()
        objects = list(self.shelf.select(args['filters']))
        for each in objects:
            read(each)
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return {'main': taken / len(objects)}


serve = Context


def get(at: Context, pks: list[int], place: str = 'shelf') -> Job:
    """One object after the other."""
    subject = getattr(at, place)
    read = subject.reader(at.names)
    return Job(lambda: [read(subject.get(pk)) for pk in pks])


def select(
    at: Context, filters: Filters | None, names: list[str], times: int, place: str = 'shelf'
) -> Job:
    """Objects, of which the named fields are read."""
    subject = getattr(at, place)
    read = subject.reader(names)

    def run() -> Any:
        for _ in range(times):
            objects = subject.select(filters) if filters else subject.everything()
            rows = [read(each) for each in objects]
        return rows

    return Job(run)


def count(at: Context, filters: Filters, times: int) -> Job:
    """How many objects match."""

    def run() -> int:
        for _ in range(times):
            matches = at.shelf.count(filters)
        return matches

    return Job(run)


def pick(at: Context, how: str, filters: Filters, times: int) -> Job:
    """The first, the last or a random object of a result."""
    read, method = at.shelf.reader(at.names), getattr(at.shelf, how)

    def run() -> Any:
        for _ in range(times):
            picked = method(filters)
        if how != 'random':
            return read(picked)
        row = dict(zip(at.names, plain(read(picked)), strict=True))
        return all(row[key] == value for key, value in filters.items())

    return Job(run)


def create(at: Context, times: int) -> Job:
    """One new object after the other."""
    at.clear()
    rows = at.rows(0, times)

    def run() -> None:
        for row in rows:
            at.scratch.create(row)

    return Job(run, _stored(at, rows[0]))


def update(at: Context, times: int) -> Job:
    """One indexed field of one object after the other."""
    name = at.data.changed
    at.clear()
    at.scratch.fill([{**row, name: 'before'} for row in at.rows(0, times)])
    objects = list(at.scratch.select({name: 'before'}))

    def run() -> None:
        for each in objects:
            at.scratch.update(each, name, 'after')

    return Job(run, _stored(at, {name: 'after'}))


def save_all(at: Context, size: int) -> Job:
    """Rows into an empty database."""
    at.clear()
    rows = at.rows(0, size)
    return Job(lambda: at.scratch.save_all(rows), _stored(at, rows[0]))


def replace_all(at: Context, size: int, settle: bool) -> Job:
    """Rows in place of those that were stored the last time.

    :param settle: wait until the server removed what the last reset left
    """
    latest = time.monotonic() + SETTLE_SECONDS
    while settle and any(each['expires'] for each in at.client.info('keyspace').values()):
        if time.monotonic() > latest:
            break
        time.sleep(0.2)
    rows = at.rows(0, size)
    return Job(lambda: at.scratch.replace_all(rows), _stored(at, rows[0]))


def delete(at: Context, size: int, beside: int) -> Job:
    """The objects that match a filter, among others."""
    at.clear()
    rows = at.rows(0, size + beside)
    name = at.data.changed
    at.scratch.fill([{**row, name: 'to go'} for row in rows[:size]] + rows[size:])
    left, gone = _stored(at, rows[-1]), _stored(at, {name: 'to go'})
    return Job(lambda: at.scratch.delete({name: 'to go'}), lambda done: left(done) + gone(done))


TASKS: dict[str, Callable[..., Job]] = {
    task.__name__: task
    for task in (get, select, count, pick, create, update, save_all, replace_all, delete)
}


def _stored(at: Context, example: dict[str, Any]) -> Callable[[Any], Any]:
    """Return a call that reads the objects which share the changed field with an example."""
    name, read = at.data.changed, at.scratch.reader(at.names)
    return lambda done: [read(each) for each in at.scratch.select({name: example[name]})]


def _questions(subject: Any, names: list[str]) -> dict[str, Callable[[int], Any]]:
    """Return the questions of many clients: an object by pk, the objects of an artist."""
    read = subject.reader(names)

    def by_pk(number: int) -> Any:
        return [read(subject.get(number))]

    def by_artist(number: int) -> Any:
        return [read(each) for each in subject.select({'artist': f'Artist {number}'})]

    async def by_pk_in_task(number: int) -> Any:
        return [read(await subject.get(number))]

    async def by_artist_in_task(number: int) -> Any:
        return [read(each) for each in await subject.select({'artist': f'Artist {number}'})]

    if asyncio.iscoroutinefunction(subject.get):
        return {'get': by_pk_in_task, 'filter': by_artist_in_task}
    return {'get': by_pk, 'filter': by_artist}
