"""Guarded transactions: plain commands that the server executes only if a script agrees.

A script takes three times as long for a row as a plain command, since Lua converts every argument
twice. So many rows go as plain commands between ``MULTI`` and ``EXEC``, after a guard script that
checks the preconditions. If one fails, the guard writes to a key that is ``WATCH``ed. EXEC then
does nothing, and neither does it when a watched key changed. All of it is one batch, which may be
sent twice.
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
    """Return the batch that executes ``commands`` unless the guard objects.

    :param guard: a script of :mod:`.scripts.guarding`
    :param keys: its keys; the first is the one that it writes to, and nobody else does
    :param args: its arguments
    :param watched: keys that nobody may write to after the guard has checked
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
    """Return the batch that executes ``commands`` while the owner of a token holds the lock.

    :param pks: under which nobody may have stored an object, in ``rows``
    :param sets: keys that have to be sets, or absent
    """
    names = (keys.work(token, REFUSED), keys.lock, keys.all, *sets)
    return guarded_transaction(MAY_STORE, names, (token, *pks), (keys.lock, *rows), commands)


def objection(replies: Sequence[Any]) -> Any:
    """Return the guard's objection, ``b'taken'`` if a watched key changed, or None after EXEC.

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
