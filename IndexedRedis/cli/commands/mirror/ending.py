"""What ``mirror`` does until somebody stops it: it follows, or runs again and again.

The rule: Ctrl-C and SIGTERM end it in order, with exit status 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import TIMEOUT_MAX, Event
from time import monotonic
from typing import TYPE_CHECKING, Any

from ....errors import GuardRefusedError
from ...common import DONE, CommandError, Run, asked_to_stop
from ...remedies import for_shell
from .display import Display, messages
from .notify import Notifier

if TYPE_CHECKING:
    from ....mirror import Mirror, MirrorReport

__all__ = ('bytes_of', 'follow_log', 'run_again', 'seconds_of')

# As PostgreSQL has them in its settings.
BYTES = {'': 1, 'kB': 2**10, 'MB': 2**20, 'GB': 2**30, 'TB': 2**40}
SECONDS = {'': 1, 's': 1, 'm': 60, 'h': 3600, 'd': 86_400}


def follow_log(run: Run, mirror: Mirror, options: Mapping[str, Any]) -> int:
    """Follow the log of the database."""
    limit = bytes_of(options['slot_limit']) if options['slot_limit'] else None
    with _service(run) as (stop, notifier):
        display = Display(run, notifier)
        try:
            mirror.follow(
                stop,
                display.changed,
                options['resync'],
                options['prepare'],
                display.progress,
                limit,
            )
        finally:
            display.close()
    return DONE


def run_again(run: Run, mirror: Mirror, options: Mapping[str, Any]) -> int:
    """Run at fixed times."""
    seconds = seconds_of(options['every'])
    with _service(run) as (stop, notifier):
        display = Display(run, notifier)

        def done(outcome: MirrorReport | Exception) -> None:
            display.close()
            notifier.ready()
            _show_outcome(run, outcome)

        try:
            mirror.every(
                seconds,
                stop,
                done,
                display.progress,
                options['mode'],
                options['skip_bad'] or None,
                options['workers'],
            )
        finally:
            display.close()
    return DONE


def _show_outcome(run: Run, outcome: MirrorReport | Exception) -> None:
    if not isinstance(outcome, Exception):
        run.print(str(outcome))
        run.data(outcome.asDict())
        return
    run.log(for_shell(outcome, ()))
    if isinstance(outcome, GuardRefusedError):
        run.data({'refused': outcome.problems})
    else:
        run.data({'failed': str(outcome)})


class _Alive(Event):
    """An event that gives signs of life while somebody waits for it.

    :param notifier: sends them
    """

    def __init__(self, notifier: Notifier) -> None:
        super().__init__()
        self._notifier = notifier

    def wait(self, timeout: float | None = None) -> bool:
        """Return whether it is set, after some seconds at most."""
        end = monotonic() + (TIMEOUT_MAX if timeout is None else timeout)
        while not self.is_set() and (left := end - monotonic()) > 0:
            self._notifier.alive()
            super().wait(min(left, self._notifier.pause))
        return self.is_set()


@contextmanager
def _service(run: Run) -> Iterator[tuple[Event, Notifier]]:
    """Print messages until the command ends; yield the event that ends it."""
    notifier = Notifier()
    with asked_to_stop(_Alive(notifier)) as stop, messages(run, notifier):
        try:
            yield stop, notifier
        finally:
            notifier.stopping()
    run.log('stopped')


def seconds_of(text: str) -> float:
    """Return a time as seconds: ``90``, ``90s``, ``5m``, ``1h30m``.

    :raises CommandError: if it is none
    """
    if not re.fullmatch(r'(\d+(\.\d+)?[smhd]?)+', text):
        raise CommandError(f'--every takes a time such as 30s, 5m or 1h30m, not {text!r}.')
    parts = re.findall(r'(\d+(?:\.\d+)?)([smhd]?)', text)
    seconds: float = sum(float(number) * SECONDS[unit] for number, unit in parts)
    if not seconds:
        raise CommandError('--every takes a time above zero.')
    return seconds


def bytes_of(text: str) -> int:
    """Return a size as bytes: ``1000000``, ``500MB``, ``10GB``.

    :raises CommandError: if it is none
    """
    found = re.fullmatch(r'(\d+) ?(|kB|MB|GB|TB)', text)
    if found is None:
        raise CommandError(f'--slot-limit takes a size such as 500MB or 10GB, not {text!r}.')
    return int(found[1]) * BYTES[found[2]]
