"""Plain commands that are carried out together, unless a script objects.

A script spends three times as long on a row as the plain command: what it is told has to become
values of Lua, and these arguments again. So where rows are many they go as plain commands between
``MULTI`` and ``EXEC``, and a script before these looks whether all is as it should be. Where it is
not, the script touches a key that is ``WATCH``ed, and the server does none of it. So it does if
somebody else writes to one of these keys in between. All that is one write, and may be sent twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..flows import Command
from ..keys import REFUSED, Keys
from ..script import Script
from .scripts import MAY_STORE

__all__ = (
    'guarded_store',
    'guarded_transaction',
    'objection',
)


# Rows that are carried out together: they hold up the server for a millisecond. (WATCH takes longer
# for each key, the more there are.)
CHUNK = 100

# Rows whose entries in index sets are added together: the more there are, the fewer commands.
LISTED = 500

# Sets that are added to together.
SETS = 500


def guarded_transaction(
    guard: Script,
    keys: Sequence[bytes],
    args: Sequence[Any],
    watched: Iterable[bytes],
    commands: Sequence[Command],
) -> list[Command]:
    """Return the commands that carry out ``commands`` unless ``guard`` objects.

    :param guard: a script of :mod:`.scripts.guarding`
    :param keys: its keys, the first being the one that it touches: nobody else does
    :param args: its arguments
    :param watched: keys that nobody may write to after the guard has looked
    """
    # By its text: where the server did not know it, nobody would object.
    look = guard.in_full([*keys], *args)
    return [('WATCH', keys[0], *watched), look, ('MULTI',), *commands, ('EXEC',)]


def guarded_store(
    keys: Keys,
    token: bytes,
    commands: Sequence[Command],
    pks: Iterable[int] = (),
    rows: Iterable[bytes] = (),
    sets: Iterable[bytes] = (),
) -> list[Command]:
    """Return the commands that carry out ``commands`` while the owner of a token has the lock.

    :param pks: under which nobody may have stored an object, in ``rows``
    :param sets: keys that have to be sets, or absent
    """
    names = (keys.work(token, REFUSED), keys.lock, keys.all, *sets)
    return guarded_transaction(MAY_STORE, names, (token, *pks), (keys.lock, *rows), commands)


def objection(replies: Sequence[Any]) -> Any:
    """Return what the guard had to say against it, ``b'taken'`` if somebody wrote to a watched key;
    None if all was carried out.

    :param replies: to what :func:`guarded_transaction` gave
    :raises redis.exceptions.ResponseError: if one of the commands failed
    """
    said, done = replies[1], replies[-1]
    if done is None:
        return said or b'taken'
    for reply in done:
        if isinstance(reply, Exception):
            raise reply
    return None
