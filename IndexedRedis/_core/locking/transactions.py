"""Guarded transactions: plain commands that the server executes only if a script agrees.

A script takes three times as long for a row as a plain command, since Lua converts every argument
twice. So long lists of rows go as plain commands between ``MULTI`` and ``EXEC``, after a guard
script that checks the preconditions. If one fails, the guard writes to a key that is ``WATCH``ed.
EXEC then does nothing, and neither does it when a watched key changed. The whole is one batch,
which may be sent twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..flows import Command, chunks
from ..keys import REFUSED, Keys
from ..mapping.encoder import StoredRow
from ..mapping.index_keys import grouped_by_sorted
from ..mapping.schema import Schema
from ..script import Script
from .scripts import MAY_STORE

__all__ = (
    'guarded_store',
    'guarded_transaction',
    'in_scores',
    'objection',
)


# Rows of one transaction: it blocks the server for a millisecond. (The time of WATCH for each key
# grows with the number of keys.)
CHUNK = 100

# Rows whose index entries are added together: more rows share one SADD for each index set.
LISTED = 500

# Index sets of one transaction.
SETS = 500

# Members of sorted sets that one transaction adds: it takes 2 us for each where a set has 100,000
# members, and 4 us where it has a million.
SCORES = 200


def guarded_transaction(
    guard: Script,
    keys: Sequence[bytes],
    args: Sequence[Any],
    watched: Iterable[bytes],
    commands: Sequence[Command],
) -> list[Command]:
    """Return the batch that executes ``commands`` unless the guard objects.

    :param guard: a script of :mod:`.scripts` that is made of ``_GUARD``
    :param keys: its keys; it writes to the first, which no other command writes to
    :param args: its arguments
    :param watched: keys that nobody may write to after the guard has checked
    """
    # In full: EVALSHA of a missing script would object to nothing.
    check = guard.in_full([*keys], *args)
    return [('WATCH', keys[0], *watched), check, ('MULTI',), *commands, ('EXEC',)]


def guarded_store(
    keys: Keys,
    token: bytes,
    commands: Sequence[Command],
    pks: Iterable[int] = (),
    rows: Iterable[bytes] = (),
    sets: Iterable[bytes] = (),
) -> list[Command]:
    """Return the batch that executes ``commands`` while the owner of a token holds the lock.

    :param pks: pks that must be free
    :param rows: the keys of their rows
    :param sets: keys that must be sets, or absent
    """
    names = (keys.work(token, REFUSED), keys.lock, keys.all, *sets)
    return guarded_transaction(MAY_STORE, names, (token, *pks), (keys.lock, *rows), commands)


def in_scores(
    schema: Schema, pks: Sequence[bytes], rows: Sequence[StoredRow]
) -> Iterator[dict[bytes, list[bytes]]]:
    """Yield the members that rows add to sorted sets, those of one transaction at a time.

    :returns: score and pk of each row, by sorted set
    """
    size = max(1, SCORES // max(1, len(schema.sorted)))
    if schema.sorted:
        for some, each in zip(chunks(pks, size), chunks(rows, size), strict=True):
            yield grouped_by_sorted(schema, some, each)


def objection(replies: Sequence[Any]) -> Any:
    """Return the guard's objection, ``b'taken'`` if a watched key changed, or None after EXEC.

    :param replies: the replies to a :func:`guarded_transaction`
    :raises redis.exceptions.ResponseError: if one of the commands failed
    """
    reason, done = replies[1], replies[-1]
    if done is None:
        return reason or b'taken'
    for reply in done:
        if isinstance(reply, Exception):
            raise reply
    return None
