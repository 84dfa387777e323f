"""List and prepare the operations that write rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ..running.served import Job, Work

if TYPE_CHECKING:
    from .rows import Rows


def writes(at: Rows) -> Iterator[Work]:
    """Yield saves and deletes on an empty database."""
    sizes, name, scratch = at.sizes, at.data.changed, at.scratch
    some = 2 * sizes.calls

    def create() -> Job:
        rows = at.rows(0, some)
        return Job(lambda: [scratch.create(row) for row in rows], at.stored(rows[0]))

    def update() -> Job:
        scratch.fill([{**row, name: 'before'} for row in at.rows(0, some)])
        objects = list(scratch.select({name: 'before'}))
        calls = [partial(scratch.update, each, name, 'after') for each in objects]
        return Job(lambda: [call() for call in calls], at.stored({name: 'after'}))

    def save() -> Job:
        rows = at.rows(0, sizes.bulk)
        return Job(lambda: scratch.fill(rows), at.stored(rows[0]))

    def delete() -> Job:
        rows = at.rows(0, sizes.delete + sizes.bulk // 10)
        gone = [{**row, name: 'to go'} for row in rows[: sizes.delete]]
        scratch.fill(gone + rows[sizes.delete :])
        left, rest = at.stored(rows[-1]), at.stored({name: 'to go'})
        return Job(lambda: scratch.delete({name: 'to go'}), lambda done: left(done) + rest(done))

    def on_empty(prepare: Callable[[], Job]) -> Job:
        at.scratch_client.flushdb()
        return prepare()

    for title, prepare, per, needs in (
        ('save() of a new object', create, some, ''),
        ('save() of one changed indexed field', update, some, ''),
        (f'bulk save of {sizes.bulk:,}', save, 1, 'save_all'),
        (f'filter().delete() of {sizes.delete:,}', delete, 1, ''),
    ):
        how = {'rounds': sizes.rounds, 'slow_rounds': sizes.slow if per == 1 else sizes.rounds}
        yield Work(title, partial(on_empty, prepare), per=per, needs=needs, **how)


def resets(at: Rows) -> Iterator[Work]:
    """Yield a reset with the machine to itself, and one beside a reader.

    The reader runs on the core of the subject and takes time from it, so the total is that of the
    first. 6.0.3 takes part in one round of each, since it needs most of a minute for 100,000 rows.
    """

    def prepare() -> Job:
        at.settle()
        rows = at.rows(0, at.sizes.reset)
        return Job(lambda: at.scratch.replace_all(rows), at.stored(rows[0]))

    how = {'rounds': at.sizes.slow, 'slow_rounds': 1, 'warm_up': 0, 'needs': 'replace_all'}
    alone = Work(f'reset of {at.sizes.reset:,}', prepare, **how)
    yield alone
    yield replace(alone, name=f'{alone.name}, beside that reader', how='beside')
