"""Number the draws of pks, so that a save whose reply was lost finds its pk.

The server draws the pk, so the client does not know it until the reply comes. Each draw has a token
and a number. The script stores ``NUMBER PK INCARNATION`` under a key with the token: the *note*. A
retry sends the same token and number. It gets the noted pk, or draws one and notes it. A script
that arrives late finds the note, and stores nothing.

A process uses a token again after the reply, so that notes stay few. It abandons a token whose
reply was lost, since the script may still arrive.
"""

from __future__ import annotations

import os
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from ....errors import OutcomeUnknownError
from ...keys import DRAWN, Keys
from ...locking.locks import new_token
from ...mapping.schema import Schema

__all__ = ('NOTED_SECONDS', 'Draw', 'check_not_expired', 'free_token', 'new_draw')

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


# Draws whose reply came: their tokens are free. pop() and append() are atomic.
_free = deque[Draw](maxlen=1000)
if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_free.clear)


def new_draw() -> Draw:
    """Return a new draw: the next number of a free token, or the first of a new one."""
    try:
        token, number, _ = _free.pop()
    except IndexError:
        token, number = new_token(), 0
    return Draw(token, number + 1, datetime.now(UTC))


def free_token(draw: Draw) -> None:
    """Let another draw have the token. Call it last, when nobody can repeat this draw any more."""
    _free.append(draw)


def check_not_expired(schema: Schema, draw: Draw) -> None:
    """Refuse a draw whose note may have expired.

    :raises OutcomeUnknownError: if it was begun 23 hours ago
    """
    if datetime.now(UTC) - draw.begun > EXPIRED:
        raise OutcomeUnknownError(
            f'{schema.name}: a save of this object began at {draw.begun:%Y-%m-%d %H:%M} UTC. Its '
            'outcome is unknown, since its note may have expired. This save wrote nothing. Search '
            'for the object; if it is missing, save obj.copy().'
        )
