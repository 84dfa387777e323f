"""Batches become bytes, and raw replies become results.

redis-py's pipeline spends some 14 microseconds of Python on each command; packing a whole batch
at once with hiredis costs a tenth of that.
"""

from __future__ import annotations

from typing import Any

from redis.exceptions import ExecAbortError, NoScriptError, ResponseError

from .._core.plan import Batch

try:
    from hiredis import pack_command
except ImportError:  # hiredis is a dependency, but a platform may lack it
    from .packing import pack_command  # type: ignore[assignment]


__all__ = ('MissingScript', 'expected', 'pack', 'results')

_MULTI = pack_command(('MULTI',))
_EXEC = pack_command(('EXEC',))


class MissingScript(Exception):
    """The server does not know a script (any more).

    :param sha: which
    :param error: what the server said
    """

    def __init__(self, sha: bytes, error: NoScriptError) -> None:
        super().__init__(sha)
        self.sha, self.error = sha, error


def pack(batch: Batch) -> bytes:
    """Return the bytes of a batch."""
    packed = b''.join(map(pack_command, batch.commands))
    return b''.join((_MULTI, packed, _EXEC)) if batch.atomic else packed


def expected(batch: Batch) -> int:
    """Return how many replies a batch gets."""
    return len(batch.commands) + (2 if batch.atomic else 0)


def results(batch: Batch, replies: list[Any]) -> list[Any]:
    """Return the results of a batch.

    :param replies: its replies; error replies as exceptions
    :raises MissingScript: if a script has to be loaded first
    :raises ResponseError: the first error, of the command that caused it
    """
    if batch.atomic:
        replies = _of_transaction(replies)
    for command, reply in zip(batch.commands, replies, strict=True):
        if isinstance(reply, Exception):
            if isinstance(reply, NoScriptError):
                raise MissingScript(command[1], reply)
            raise reply
    return replies


def _of_transaction(replies: list[Any]) -> list[Any]:
    outcome = replies[-1]
    if isinstance(outcome, ExecAbortError):
        # The reason is the command that was refused, not that EXEC gave up because of it.
        for reply in replies[1:-1]:
            if isinstance(reply, Exception):
                raise reply
    if isinstance(outcome, Exception):
        raise outcome
    if outcome is None:
        raise ResponseError('EXEC was refused: a watched key changed')
    return list(outcome)
