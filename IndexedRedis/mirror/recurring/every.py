"""What a mirror offers for running at fixed times.

The rule: the times are those of the first run, plus a multiple of the interval.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import ceil
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, Any

from ...errors import MirrorRunningError, ResetInProgressError, UsageError
from ..report import StoppedError, logger, until

if TYPE_CHECKING:
    from ..attempt import Progress
    from ..report import MirrorReport

__all__ = ('Repeated',)

# Seconds between two tries while another run holds the lock, at most.
LOCK_PAUSE = 2.0


class Repeated:
    """The part of :class:`~..mirror.Mirror` that runs at fixed times."""

    run: Callable[..., MirrorReport]

    def every(
        self,
        seconds: float,
        stop: Event | None = None,
        done: Callable[[MirrorReport | Exception], Any] | None = None,
        progress: Progress | None = None,
        mode: str | None = None,
        skipBad: bool | None = None,
        workers: int | None = None,
    ) -> None:
        """Run now, and then every so many seconds, until stopped.

        The times do not drift. A run that takes longer than that leaves out the times it misses. A
        run that fails, or is refused, is logged, changes nothing, and the next one comes in its
        time. While another run of these models is under way, this one waits for its end.

        :param seconds: from the begin of one run to the begin of the next
        :param stop: set it to end the call; a run under way changes nothing then, if its data is
            not live yet. In a signal handler set it as for :meth:`follow`
        :param done: called after each run with its report, or with the error that ended it
        :param progress: as of :meth:`run`
        :param mode: as of :meth:`run`
        :param skipBad: as of :meth:`run`
        :param workers: as of :meth:`run`
        :raises UsageError: if the mirror, or a parameter, is wrong
        """
        if not seconds > 0:
            raise UsageError(f'seconds has to be above zero, not {seconds!r}.')
        stop = stop or Event()

        def run() -> MirrorReport:
            given = until(stop, progress)
            return self.run(progress=given, mode=mode, skipBad=skipBad, workers=workers)

        due = monotonic()
        while not stop.is_set():
            outcome = _outcome(run, stop, min(seconds, LOCK_PAUSE))
            if outcome is not None and done:
                done(outcome)
            due += seconds * max(1, ceil((monotonic() - due) / seconds))
            stop.wait(due - monotonic())

    async def aevery(
        self,
        seconds: float,
        done: Callable[[MirrorReport | Exception], Any] | None = None,
        progress: Progress | None = None,
        mode: str | None = None,
        skipBad: bool | None = None,
        workers: int | None = None,
    ) -> None:
        """Run in a thread, as :meth:`every`, until the task is cancelled."""
        stop = Event()
        work = asyncio.create_task(
            asyncio.to_thread(self.every, seconds, stop, done, progress, mode, skipBad, workers)
        )
        try:
            await asyncio.shield(work)
        finally:
            stop.set()
            await work


def _outcome(
    run: Callable[[], MirrorReport], stop: Event, pause: float
) -> MirrorReport | Exception | None:
    """Return what became of one run; None if it was stopped."""
    waits = False
    while not stop.is_set():
        try:
            return run()
        except (MirrorRunningError, ResetInProgressError) as error:
            if not waits:
                logger.warning('waits for the end of another run: %s', error)
            waits = True
            stop.wait(pause)
        except StoppedError:
            break
        except UsageError:
            raise
        except Exception as error:
            return error
    return None
