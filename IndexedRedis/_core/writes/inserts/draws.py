"""Number the draws of pks, so that one whose reply is lost can be repeated.

The script that stores a new object draws its pk, so after a lost reply nobody knows the pk. A draw
has a token and a number. The script leaves a *note*, ``NUMBER PK INCARNATION``, in a key named by
the token; whoever repeats the draw finds the pk there, or draws it first. So whatever comes under
one number, and however late, uses one pk.

A process has as many tokens as it saves at a time, and uses them again: so that few notes are left.
A token whose reply was lost is not used again, since the script may still be on its way.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from ....errors import ConflictError
from ...keys import DRAWN, Keys
from ...locking.locks import new_token
from ...mapping.schema import Schema

__all__ = ('NOTED_SECONDS', 'Draw', 'check_noted', 'finish', 'new_draw')

# Seconds until a note expires.
NOTED_SECONDS = 86_400
# Age of a note that counts as expired: clocks are set, and a script may come late.
EXPIRED = timedelta(seconds=NOTED_SECONDS, hours=-1)


class Draw(NamedTuple):
    """A draw of the pk of one new object.

    :param token: names the note
    :param number: tells the draws of a token apart
    :param begun: when it was sent first
    """

    token: bytes
    number: int
    begun: datetime

    def note(self, keys: Keys) -> bytes:
        """The key of the note."""
        return keys.work(self.token, DRAWN)


# The draws whose reply came, for their tokens. Each thread takes what no other has.
_finished: list[Draw] = []
if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_finished.clear)


def new_draw() -> Draw:
    """Return a draw that nobody else has."""
    try:
        token, number, _ = _finished.pop()
    except IndexError:
        token, number = new_token(), 0
    return Draw(token, number + 1, datetime.now(UTC))


def finish(draw: Draw) -> None:
    """Let the next draw have the token: the script was carried out, and its reply came."""
    _finished.append(draw)


def check_noted(schema: Schema, draw: Draw) -> None:
    """Check that the note of a draw, if there was one, is still there.

    :raises ConflictError: if it may have expired
    """
    if datetime.now(UTC) - draw.begun > EXPIRED:
        raise ConflictError(
            f'{schema.name}: the first save of this object failed, and that is a day ago. '
            'Whether it stored the object cannot be told any more. Nothing was written. Look for '
            'the object; if it is not there, save obj.copy().'
        )
