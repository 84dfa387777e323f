"""The processes of the workers: start them, hear from them, end them.

The rule: a worker that is killed, fails or falls silent ends the run, with an error that names it;
and no worker outlives the run.
"""

from __future__ import annotations

import multiprocessing
import pickle
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import resource_tracker
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any

from ...errors import IndexedRedisError, MirrorError, UsageError
from .messages import Failed, Over, Ready
from .pipe import Pipe
from .worker import work

__all__ = ('Team', 'check_may_start')

# A worker says each second that it runs. One that says nothing for so long is stopped or frozen.
SILENT_SECONDS = 60.0
# How long workers have to close their connections in the end, before they are killed.
END_SECONDS = 10.0


class _Gone:
    """In place of a message: the process is gone."""


class _Member:
    """One worker, as the process of the run sees it."""

    def __init__(self, number: int, order: bytes, inbox: SimpleQueue[tuple[int, Any]]) -> None:
        context = multiprocessing.get_context('spawn')
        mine, others = context.Pipe()
        self.number, self._inbox = number, inbox
        self.heard, self.is_ready = monotonic(), False
        name = f'IndexedRedis mirror worker {number + 1}'
        self.process = context.Process(target=work, args=(others, order), name=name, daemon=True)
        self.process.start()
        others.close()  # so that the pipe ends with the worker
        self._connection = mine
        self.pipe = Pipe(mine, self._received, lambda: inbox.put((number, _Gone())))

    def _received(self, message: Any) -> None:
        self.heard = monotonic()
        self._inbox.put((self.number, message))

    def end(self, until: float) -> None:
        """Wait for the end of the process, and kill it at a moment."""
        self.process.join(max(0, until - monotonic()))
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.pipe.finish(END_SECONDS)
        self._connection.close()
        self.process.close()


class Team:
    """The workers of a run; as a context manager it ends them at the end of the block.

    :param orders: what each worker starts with, pickled
    """

    def __init__(self, orders: Sequence[bytes]) -> None:
        self._orders, self._members = orders, list[_Member]()
        self._inbox: SimpleQueue[tuple[int, Any]] = SimpleQueue()
        #: when silence was checked last
        self._checked = monotonic()

    def __enter__(self) -> Team:
        # It unblocks the signals that _without_interrupts() blocks, if it starts meanwhile.
        resource_tracker.ensure_running()
        try:
            for number, order in enumerate(self._orders):
                with _without_interrupts():
                    self._members.append(_Member(number, order, self._inbox))
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, kind: Any, *error: object) -> None:
        if kind is not None:
            self.kill()
        self.tell(Over())
        self._end(END_SECONDS)

    def kill(self) -> None:
        """End all workers at once; they have nothing to tidy up."""
        for member in self._members:
            member.process.kill()
        self._end(0)

    def _end(self, seconds: float) -> None:
        until = monotonic() + seconds
        while self._members:
            self._members[-1].end(until)
            self._members.pop()

    def tell(self, message: Any, but: int | None = None) -> None:
        """Send a message to all workers.

        :param but: the number of the one that does not get it
        """
        for member in self._members:
            if member.number != but:
                member.pipe.send(message)

    def await_ready(self) -> None:
        """Wait until all workers say that they are ready.

        :raises MirrorError: as :meth:`hear`
        """
        waiting = {member.number for member in self._members}
        while waiting:
            heard = self.hear(1.0)
            if heard and isinstance(heard[1], Ready):
                waiting.discard(heard[0])
                self._members[heard[0]].is_ready = True

    def hear(self, seconds: float) -> tuple[int, Any] | None:
        """Return the next message and the number of its worker; None if none comes in time.

        :raises MirrorError: if a worker is gone, failed or silent
        """
        self._check_silence()
        try:
            number, message = self._inbox.get(timeout=seconds)
        except Empty:
            return None
        member = self._members[number]
        if isinstance(message, Failed):
            raise self._failure(member, message)
        if isinstance(message, _Gone):
            raise self._error(member, _end_of(member))
        return number, message

    def _check_silence(self) -> None:
        now = monotonic()
        if now - self._checked > SILENT_SECONDS / 2:  # this process was busy, or suspended itself
            for member in self._members:
                member.heard = now
        self._checked = now
        for member in self._members:
            if now - member.heard > SILENT_SECONDS:
                raise self._error(member, f'has said nothing for {SILENT_SECONDS:.0f} s')

    def _failure(self, member: _Member, message: Failed) -> BaseException:
        error = pickle.loads(message.packed) if message.packed else None
        if not isinstance(error, IndexedRedisError):  # those are what one process would raise too
            own = self._error(member, f'failed: {message.text}')
            own.__cause__ = error
            error = own
        error.add_note(f'Raised in {self._name(member)}:\n{message.trace}')
        return error

    def _error(self, member: _Member, what: str) -> MirrorError:
        return MirrorError(f'{self._name(member)} {what}. Nothing was changed.')

    def _name(self, member: _Member) -> str:
        return f'worker {member.number + 1} of {len(self._orders)} (process {member.process.pid})'


def check_may_start(workers: int) -> None:
    """Check that this process may start others.

    :raises UsageError: if multiprocessing forbids it
    """
    if multiprocessing.current_process().daemon:
        raise UsageError(
            f'workers={workers} starts processes, which this process may not: multiprocessing has '
            "started it as a daemon. If it is a worker that imports a program, put the program's "
            "call of run() under `if __name__ == '__main__':`. Else load with workers=1."
        )


def _end_of(member: _Member) -> str:
    """Return how a process ended."""
    member.process.join(END_SECONDS)
    status = member.process.exitcode
    if status is None:
        return 'closed its pipe'
    if status < 0:
        return f'was killed by {signal.Signals(-status).name}'
    if member.is_ready:
        return f'ended with status {status}'
    return (
        f'ended with status {status} before it began to work; standard error may say why. Each '
        "worker imports the program, so it needs the line `if __name__ == '__main__':` before what "
        'starts workers'
    )


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Start processes that Ctrl-C does not reach: it ends the run, which ends them."""
    if not hasattr(signal, 'pthread_sigmask'):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
