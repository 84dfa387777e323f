"""The progress of a command: bars on a terminal, plain lines under cron.

The rule: the caller reports ``progress(step, done, total)`` as often as it likes; this file decides
what is shown, and how often. Everything goes to standard error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console

__all__ = ('Progress', 'progress')

# `total` may be an estimate, and is None while it is unknown.
Progress = Callable[[str, int, 'int | None'], None]

# Seconds between two plain lines.
LINE_SECONDS = 10.0


@contextmanager
def progress(console: Console, what: str = '') -> Iterator[Progress]:
    """Show progress while the block runs.

    :param console: where to show it
    :param what: stands before the name of each step
    """
    if console.is_terminal:
        with _bars(console, what) as report:
            yield report
        return
    lines = _Lines(console, what)
    yield lines.report
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
    bars = rich_progress.Progress(*columns, console=console)
    try:

        def report(step: str, done: int, total: int | None) -> None:
            bars.start()  # the first time: without a step it would print an empty line
            if step not in tasks:
                tasks[step] = bars.add_task(_name(what, step), total=None, all='?')
            goal = None if total is None else max(total, done)
            shown = '?' if goal is None else f'{goal:,}'
            bars.update(tasks[step], completed=done, total=goal, all=shown)

        yield report
        for task in tasks.values():  # totals were estimates
            done = int(bars.tasks[task].completed)
            bars.update(task, total=max(done, 1), completed=max(done, 1), all=f'{done:,}')
    finally:
        if tasks:
            bars.stop()


class _Lines:
    """A line each ten seconds, and one for each step at the end."""

    def __init__(self, console: Console, what: str) -> None:
        self._console, self._what = console, what
        self._done: dict[str, int] = {}
        self._printed = monotonic()

    def report(self, step: str, done: int, total: int | None) -> None:
        self._done[step] = done
        if monotonic() - self._printed >= LINE_SECONDS:
            self._printed = monotonic()
            of = '' if total is None else f' of {max(total, done):,}'
            self._console.print(f'{_name(self._what, step)}: {done:,}{of}')

    def end(self) -> None:
        for step, done in self._done.items():
            self._console.print(f'{_name(self._what, step)}: {done:,} done')


def _name(what: str, step: str) -> str:
    return f'{what} {step}'.strip()
