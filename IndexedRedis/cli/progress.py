"""How far a command has come: bars on a terminal, plain lines under cron.

The rule: whoever works calls ``progress(step, done, total)`` as often as it likes; what is shown,
and how often, is decided here. All of it goes to standard error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console

__all__ = ('Progress', 'progress')

# `total` may be an estimate, and None where nobody knows it.
Progress = Callable[[str, int, 'int | None'], None]

# Seconds between two plain lines of one step.
PAUSE = 10.0


@contextmanager
def progress(console: Console, what: str = '') -> Iterator[Progress]:
    """Show progress while the block runs.

    :param console: where to show it
    :param what: put before the name of each step
    """
    if console.is_terminal:
        with _bars(console, what) as tell:
            yield tell
        return
    lines = _Lines(console, what)
    yield lines.tell
    lines.end()


@contextmanager
def _bars(console: Console, what: str) -> Iterator[Progress]:
    from rich import progress as rich_progress

    columns = (
        rich_progress.TextColumn('{task.description}', markup=False),
        rich_progress.BarColumn(),
        rich_progress.TextColumn('{task.completed:,.0f} of {task.fields[all]}'),
        rich_progress.TimeElapsedColumn(),
    )
    tasks: dict[str, rich_progress.TaskID] = {}
    with rich_progress.Progress(*columns, console=console) as bars:

        def tell(step: str, done: int, total: int | None) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(_name(what, step), total=None, all='?')
            shown = '?' if total is None else f'{max(total, done):,}'
            goal = None if total is None else max(total, done)
            bars.update(tasks[step], completed=done, total=goal, all=shown)

        yield tell
        for task in tasks.values():  # totals were estimates; what is done is known now
            done = int(bars.tasks[task].completed)
            bars.update(task, total=max(done, 1), completed=max(done, 1), all=f'{done:,}')


class _Lines:
    """A line each ten seconds, and one for each step when all is over."""

    def __init__(self, console: Console, what: str) -> None:
        self._console, self._what = console, what
        self._done: dict[str, int] = {}
        self._told = monotonic()

    def tell(self, step: str, done: int, total: int | None) -> None:
        self._done[step] = done
        if monotonic() - self._told >= PAUSE:
            self._told = monotonic()
            of = '' if total is None else f' of {max(total, done):,}'
            self._console.print(f'{_name(self._what, step)}: {done:,}{of}')

    def end(self) -> None:
        for step, done in self._done.items():
            self._console.print(f'{_name(self._what, step)}: {done:,} done')


def _name(what: str, step: str) -> str:
    return f'{what} {step}'.strip()
