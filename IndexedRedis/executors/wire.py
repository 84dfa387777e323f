"""Turn batches into bytes, and raw replies into results.

hiredis packs a whole batch: 1 us a command; redis-py's pipeline: 14 us.
"""

from __future__ import annotations

import re
from typing import Any

from redis.exceptions import ExecAbortError, NoScriptError, OutOfMemoryError, RedisError

from .._core.flows import Batch, Command
from .._core.mapping.resp import PACKED
from .._core.script import BY_SHA
from .errors import FencedError, MissingScript, Refused, ServerFullError
from .remedies import explained
from .topology.redirects import is_passing

try:
    from hiredis import pack_command
except ImportError:  # hiredis is a dependency, but a platform may lack it

    def pack_command(command: tuple[Any, ...]) -> bytes:  # type: ignore[misc]
        """Pack a command in Python, which takes five times as long as hiredis."""
        parts = [part if isinstance(part, bytes) else str(part).encode() for part in command]
        return b'*%d\r\n%b' % (
            len(parts),
            b''.join(b'$%d\r\n%b\r\n' % (len(part), part) for part in parts),
        )


# A server puts other words before an error that a script raised.
_FENCED = re.compile(r'(?:^|: -?)FENCED ')

__all__ = ('pack', 'packable', 'results', 'with_texts')


def pack(batch: Batch) -> bytes:
    """Return the bytes of a batch."""
    return b''.join(map(_pack, batch.commands))


def _pack(command: Command) -> bytes:
    if command[0] is PACKED:
        return command[1]  # type: ignore[no-any-return]
    # The type test is inline, since a call for each argument would double the time.
    safe = [x if type(x) is bytes or type(x) is str else packable(x) for x in command]
    return pack_command(tuple(safe))  # type: ignore[arg-type,no-any-return]


def packable(argument: Any) -> Any:
    """Return an argument as it is safe for hiredis: numbers as bytes.

    hiredis converts numbers by a call in which Python handles signals. If a handler raises,
    hiredis 3.5 crashes the interpreter.
    """
    if isinstance(argument, int):
        return b'%d' % argument
    return repr(argument).encode() if isinstance(argument, float) else argument


def with_texts(batch: Batch) -> Batch:
    """Return a batch with the texts of its scripts, for a server that does not have them."""
    commands = [
        ('EVAL', BY_SHA[command[1]].text, *command[2:]) if command[0] == 'EVALSHA' else command
        for command in batch.commands
    ]
    return batch._replace(commands=commands)


def results(replies: list[Any]) -> list[Any]:
    """Return the results of a batch.

    :param replies: its replies; error replies as exceptions
    :raises MissingScript: if the server does not have one of its scripts
    :raises ServerFullError: if the server had no memory for one of its commands
    :raises FencedError: if a fence refused a write
    :raises Refused: if another node, or a later moment, may be right for the batch
    :raises ResponseError: for the first command that failed
    """
    for reply in replies:
        if isinstance(reply, Exception):
            if isinstance(reply, NoScriptError):
                raise MissingScript from reply
            if isinstance(reply, OutOfMemoryError) or _is_full(reply):
                raise ServerFullError(*reply.args) from reply
            if isinstance(reply, RedisError) and is_passing(reply):
                raise Refused(reply) from reply
            if _FENCED.search(str(reply)):
                raise FencedError(*reply.args) from reply
            raise explained(reply)
    return replies


def _is_full(reply: Exception) -> bool:
    """Whether EXEC says that memory ran out while the commands before it were queued."""
    return isinstance(reply, ExecAbortError) and 'because of: OOM ' in str(reply)
