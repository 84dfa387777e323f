"""The fence of a partition: it tells which edition may be written.

Its value is ``E N``: edition and number of partitions. While a flip is about to be committed, it is
``E N>F M TOKEN``, and writers wait. Every script that writes objects of a partition first compares
it. So an edition stays as it was when another one became true: late writers are refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from ...flows import Batch, Command
from ...script import ALL, BY_SHA, Script
from ..layout import Shard

__all__ = ('Edition', 'Fence', 'fenced')

# Run the script only if the fence has the expected value.
# KEYS: those of the script, the fence. ARGV: those of the script, the expected value.
_CHECK = """local fence, expected = table.remove(KEYS), table.remove(ARGV)
local edition = redis.pcall('GET', fence)
if edition ~= expected then
  if type(edition) == 'table' then edition = 'of another type' end
%s  return redis.error_reply('FENCED ' .. (edition or 'absent'))
end
"""
# A guard must also keep EXEC from doing anything: it writes to its watched key.
_OBJECT = """  redis.call('SET', KEYS[1], '')
  redis.call('DEL', KEYS[1])
"""

# Scripts that only end the work of a writer, or hold its lock: they run behind any fence. `begin`
# does not: a record of writers in an edition that has been dropped would stay.
_OF_LOCKS = {'hold', 'release', 'forget', 'give_up', 'prune', 'retire', 'unsort'}


class Edition(NamedTuple):
    """A data set of a model.

    :param number: it grows with every flip
    :param partitions: over how many its objects are spread
    """

    number: int
    partitions: int

    def text(self) -> bytes:
        """Return it as the pointer and fences hold it."""
        return b'%d %d' % self


class Fence(NamedTuple):
    """The value of a fence.

    :param edition: the one that may be written
    :param following: the one that a flip is going to make true; None: no flip is prepared
    :param token: of that flip
    """

    edition: Edition
    following: Edition | None = None
    token: bytes = b''

    @classmethod
    def of(cls, text: bytes | None) -> Fence | None:
        """Parse a fence, or a pointer; None if it is absent, or was not written by this library."""
        match = re.fullmatch(rb'(\d{1,15}) (\d{1,4})(?:>(\d{1,15}) (\d{1,4}) (\w+))?', text or b'')
        if match is None:
            return None
        first, second, third, fourth = (int(each or 0) for each in match.groups()[:4])
        following = Edition(third, fourth) if third else None
        return cls(Edition(first, second), following, match[5] or b'')

    def text(self) -> bytes:
        """Return the value."""
        if self.following is None:
            return self.edition.text()
        return b'%b>%b %b' % (self.edition.text(), self.following.text(), self.token)


@cache
def _behind(script: Script, guards: bool) -> Script:
    return script.after(_CHECK % (_OBJECT if guards else ''), 'fenced')


@cache
def _by_text(text: bytes) -> Script:
    return next(script for script in ALL if script.text == text)


def fenced(batch: Batch, shard: Shard) -> Batch:
    """Return a batch that writes only while the edition of the shard may be written.

    In a transaction the guard checks it, and the fence is watched.
    """
    commands = list[Command]()
    queued = watching = False
    for command in batch.commands:
        name = command[0]
        if name == 'WATCH':
            watching, command = True, (*command, shard.keys.fence)  # noqa: PLW2901
        elif name in ('MULTI', 'EXEC'):
            queued, watching = name == 'MULTI', False
        elif name in ('EVALSHA', 'EVAL') and not queued:
            command = _fenced(command, shard, watching)  # noqa: PLW2901
        commands.append(command)
    return batch._replace(commands=commands)


def _fenced(command: Command, shard: Shard, guards: bool) -> Command:
    by_sha = command[0] == 'EVALSHA'
    script = BY_SHA[command[1]] if by_sha else _by_text(command[1])
    if script.name in _OF_LOCKS:
        return command
    count = command[2]
    keys: Sequence[bytes] = command[3 : 3 + count]
    behind = _behind(script, guards)
    call = behind if by_sha else behind.in_full
    return call([*keys, shard.keys.fence], *command[3 + count :], shard.open)
