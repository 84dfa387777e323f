"""What people, programs and systemd see while a mirror follows its database.

The rule: a terminal shows one line that changes, or bars while all data is replaced. Elsewhere
there is a line at the start and one a minute. Standard output has the statuses, as JSON.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any

from rich.live import Live
from rich.text import Text

from ...common import Run
from ...tables import memory
from .notify import Notifier

if TYPE_CHECKING:
    from ....mirror.follow.stamp import FollowStatus

__all__ = ('Display', 'messages', 'text_of')

# Seconds between two lines elsewhere, and between two changes on a terminal, and of JSON.
LINE_SECONDS, SHOWN_SECONDS = 60.0, 0.25
# What ends a record of a call that is sent again.
RETRIED = '; trying again in '
# Seconds over which transactions and rows are counted.
RATE_SECONDS = 1.0


class Display:
    """Shows the statuses of a follower, and the progress of its loads.

    :param clock: returns seconds
    """

    def __init__(
        self, run: Run, notifier: Notifier, clock: Callable[[], float] = monotonic
    ) -> None:
        self._run, self._notifier, self._clock = run, notifier, clock
        self._live: Live | None = None
        #: what is open: the line, or bars
        self._open = ExitStack()
        self._bars: Any = None
        #: the status at which counting began, and when
        self._from: tuple[float, FollowStatus] | None = None
        self._rates = (0.0, 0.0)
        self._status: FollowStatus | None = None
        #: what was printed last, and the next moments to print
        self._printed: Any = None
        self._next_line = self._next_shown = self._next_json = 0.0

    def progress(self, step: str, done: int, total: int | None) -> None:
        """Show how far a load is."""
        self._notifier.alive(f'reads {step}: {done:,} rows')
        if self._bars is None:
            self._close()
            self._bars = self._open.enter_context(self._run.progress())
        self._bars(step, done, total)

    def changed(self, status: FollowStatus) -> None:
        """Show a status."""
        now = self._clock()
        if self._bars is not None:
            self._close()
        if status.waits and (self._status is None or self._status.waits != status.waits):
            self._next_line = now + LINE_SECONDS  # the library has just logged it
        self._status = status
        self._count(now, status)
        if not status.waits:
            self._notifier.ready()
        text = text_of(status, self._rates)
        self._notifier.alive(text)
        self._show(now, text)
        if now >= self._next_json:
            self._next_json = now + SHOWN_SECONDS
            self._print(status)

    def _count(self, now: float, status: FollowStatus) -> None:
        """Count transactions and rows a second."""
        if self._from is None or status.commits < self._from[1].commits:
            self._from = now, status
        since, before = self._from
        if now - since >= RATE_SECONDS:
            spent = now - since
            commits, rows = status.commits - before.commits, status.rows - before.rows
            self._rates = commits / spent, rows / spent
            self._from = now, status

    def _show(self, now: float, text: str) -> None:
        if self._run.err.is_terminal and not self._run.json:
            if now >= self._next_shown:
                self._next_shown = now + SHOWN_SECONDS
                self._line().update(Text(text, no_wrap=True, overflow='ellipsis'), refresh=True)
        elif now >= self._next_line:
            self._next_line = now + LINE_SECONDS
            self._run.log(text)

    def _line(self) -> Live:
        if self._live is None:
            live = Live(console=self._run.err, auto_refresh=False, transient=True)
            self._live = self._open.enter_context(live)
        return self._live

    def _print(self, status: FollowStatus) -> None:
        values = status.asDict()
        shown = {name: value for name, value in values.items() if name != 'ageSeconds'}
        if shown != self._printed:
            self._printed = shown
            self._run.data(values)

    def _close(self) -> None:
        self._live = self._bars = None
        self._open.close()

    def close(self) -> None:
        """End the line or the bars, and show the last status where it stays."""
        self._close()
        if self._status is not None:
            self._print(self._status)


def text_of(status: FollowStatus, rates: tuple[float, float] | None = None) -> str:
    """Return a status as one line.

    :param rates: transactions and rows a second; None: the line has their numbers
    """
    if status.waits and rates is not None:
        return f'{status.name}: {status.waits}'
    parts = [status.waits] if status.waits else []
    if status.ageSeconds is not None:
        parts.append(f'{max(status.ageSeconds, 0):.1f} s, {memory(status.lagBytes)} behind')
    if rates is not None:
        parts.append(f'{rates[0]:,.0f} transactions/s, {rates[1]:,.0f} rows/s')
    else:
        parts.append(f'transactions: {status.commits:,}, rows: {status.rows:,}')
        parts.append(f'full swaps: {status.swaps:,}, rows left out: {status.leftOut:,}')
    parts.append(f'last commit {_moment(status.lastCommit)}')
    return f'{status.name}: {"; ".join(parts)}'


def _moment(text: str) -> str:
    return datetime.fromisoformat(text).isoformat(' ', 'seconds') if text else 'none'


@contextmanager
def messages(run: Run, notifier: Notifier) -> Iterator[None]:
    """Print the warnings of the library."""
    handler = _Printer(run, notifier)
    logger = logging.getLogger('IndexedRedis')
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


class _Printer(logging.Handler):
    def __init__(self, run: Run, notifier: Notifier) -> None:
        super().__init__(logging.WARNING)
        self._run, self._notifier = run, notifier
        #: when a failure was printed last, by its text
        self._failures: dict[str, float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR:
            return  # it is raised too, and printed with its reasons
        text = record.getMessage()
        failure, is_retried, _ = text.partition(RETRIED)
        if is_retried:  # there are several of these a second
            now = monotonic()
            if now - self._failures.get(failure, -inf) < LINE_SECONDS:
                return
            self._failures[failure], text = now, f'{failure}; trying again'
        self._run.log(text)
        self._notifier.alive(text)
