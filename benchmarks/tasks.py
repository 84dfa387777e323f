"""What a subject is asked to do. Runs in the process of the subject.

The rule: a task is a function that prepares, and returns what is to be timed and how to look at
what came of it, by which subjects are compared. Nothing but the work itself is timed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

__all__ = ('PICKS', 'TASKS', 'plain')

Filters = dict[str, Any]
#: the methods of a subject that pick one object
PICKS = ('first', 'last', 'random')


class Job(NamedTuple):
    """A prepared task.

    :param run: what is timed
    :param answer: given what it returned, what subjects are compared by; not timed
    """

    run: Callable[[], Any]
    answer: Callable[[Any], Any] = lambda returned: returned


class Context:
    """What tasks work on.

    :param shelf: the subject with all rows, which is only read
    :param scratch: the same subject with an empty database that is written to
    """

    def __init__(self, shelf: Any, scratch: Any, data: Any, clear: Callable[[], None]) -> None:
        self.shelf, self.scratch, self.data, self.clear = shelf, scratch, data, clear
        self.names = list(data.kinds)

    def rows(self, start: int = 0, stop: int | None = None) -> list[dict[str, Any]]:
        """Some rows, with the nulls that the subject wants."""
        return self.shelf.given(self.data.dicts(start, stop))


def get(at: Context, pks: list[int], place: str = 'shelf') -> Job:
    """One object after the other."""
    subject = getattr(at, place)
    read = subject.reader(at.names)
    return Job(lambda: [read(subject.get(pk)) for pk in pks])


def select(
    at: Context, filters: Filters | None, names: list[str], times: int, place: str = 'shelf'
) -> Job:
    """Objects, of which so many fields are read."""
    subject = getattr(at, place)
    read = subject.reader(names)

    def run() -> Any:
        for _ in range(times):
            found = subject.select(filters) if filters else subject.everything()
            rows = [read(each) for each in found]
        return rows

    return Job(run)


def count(at: Context, filters: Filters, times: int) -> Job:
    def run() -> int:
        for _ in range(times):
            found = at.shelf.count(filters)
        return found

    return Job(run)


def pick(at: Context, how: str, filters: Filters, times: int) -> Job:
    """The first, the last or any object of the result."""
    read, method = at.shelf.reader(at.names), getattr(at.shelf, how)

    def run() -> Any:
        for _ in range(times):
            found = method(filters)
        if how != 'random':
            return read(found)
        row = dict(zip(at.names, plain(read(found)), strict=True))
        return all(row[key] == value for key, value in filters.items())

    return Job(run)


def create(at: Context, times: int) -> Job:
    """One new object after the other."""
    at.clear()
    rows = at.rows(0, times)

    def run() -> None:
        for row in rows:
            at.scratch.create(row)

    return Job(run, stored(at, rows[0]))


def update(at: Context, times: int) -> Job:
    """One indexed field of one object after the other."""
    name = at.data.changed
    at.clear()
    fill(at.scratch, [{**row, name: 'before'} for row in at.rows(0, times)])
    found = list(at.scratch.select({name: 'before'}))

    def run() -> None:
        for each in found:
            at.scratch.update(each, name, 'after')

    return Job(run, stored(at, {name: 'after'}))


def save_all(at: Context, size: int) -> Job:
    """Rows into an empty database."""
    at.clear()
    rows = at.rows(0, size)
    return Job(lambda: at.scratch.save_all(rows), stored(at, rows[0]))


def replace_all(at: Context, size: int) -> Job:
    """Rows in the place of as many others: of those that were stored the last time."""
    rows = at.rows(0, size)
    return Job(lambda: at.scratch.replace_all(rows), stored(at, rows[0]))


def delete(at: Context, size: int, beside: int) -> Job:
    """So many objects, found by a filter, among others."""
    at.clear()
    rows = at.rows(0, size + beside)
    name = at.data.changed
    fill(at.scratch, [{**row, name: 'to go'} for row in rows[:size]] + rows[size:])
    look = stored(at, rows[-1])
    gone = stored(at, {name: 'to go'})
    return Job(lambda: at.scratch.delete({name: 'to go'}), lambda done: look(done) + gone(done))


def stored(at: Context, example: dict[str, Any]) -> Callable[[Any], Any]:
    """What looks up the rows that are like an example in the field that updates change."""
    name, read = at.data.changed, at.scratch.reader(at.names)
    return lambda done: [read(each) for each in at.scratch.select({name: example[name]})]


TASKS: dict[str, Callable[..., Job]] = {
    task.__name__: task
    for task in (get, select, count, pick, create, update, save_all, replace_all, delete)
}


def fill(subject: Any, rows: list[dict[str, Any]]) -> None:
    """Store rows by the best way the subject has."""
    (getattr(subject, 'fill', None) or subject.save_all)(rows)


def plain(answer: Any) -> Any:
    """An answer as it is compared: nulls of any kind are None; rows in order."""
    if isinstance(answer, tuple):
        return [None if type(value).__name__ == 'IRNullType' else value for value in answer]
    if isinstance(answer, Iterable) and not isinstance(answer, str):
        return sorted(map(plain, answer), key=repr)
    return answer
