"""What a reset leaves behind: rows that were replaced, and what was staged and never used.

All of it is found by exact names: the record of resets lists the tokens, the work keys of a token
list the rest. Everything here may be done twice, and by another process than the one that began.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from .plan import Batch, Command, Flow, ask, chunks
from .schema import Schema
from .scripts import PRUNE, RETIRE

__all__ = ('index_keys_in_use', 'sweep', 'sweep_abandoned')

PAGE = 500
# How long replaced rows stay readable, for readers that took their pks before the swap.
GRACE_MS = 10_000


def sweep_abandoned(schema: Schema, but: bytes, hold: Command) -> Flow[None]:
    """Sweep what other resets left; the caller holds the lock, so they are dead.

    :param hold: the command that prolongs the lock, sent with each step
    """
    for token in (yield from ask('HKEYS', schema.keys.record)):
        if token != but:
            yield from sweep(schema, token, hold=(hold,))


def sweep(
    schema: Schema,
    token: bytes,
    known: Collection[bytes] | None = None,
    hold: tuple[Command, ...] = (),
) -> Flow[None]:
    """Take away what the reset ``token`` staged and did not use, and let expire what it replaced.

    :param known: index sets that the reset put in place itself; None if it never came to that
    :param hold: commands to send along with each step
    """
    keys = schema.keys
    sets, ranges, old = (keys.work(token, name) for name in (b'sets', b'ranges', b'old'))
    if known is None:
        yield from _each_page(sets, lambda page: [('UNLINK', *page), *hold])
        for text in (yield from ask('SMEMBERS', ranges)):
            first, count = map(int, text.split())
            for pks in chunks(range(first, first + count), PAGE):
                yield Batch([RETIRE([keys.all], 0, keys.data_prefix, 0, *pks), *hold])
    yield from _retire(schema, old, known or (), hold)
    yield Batch([('UNLINK', sets, ranges, old), ('HDEL', keys.record, token)])


def _each_page(key: bytes, commands: Callable[[list[bytes]], list[Any]]) -> Flow[None]:
    cursor: Any = b'0'
    while cursor is not None:
        cursor, page = yield from _page(key, cursor)
        if page:
            yield Batch(commands(page))


def _page(key: bytes, cursor: Any, hold: tuple[Command, ...] = ()) -> Flow[tuple[Any, list[bytes]]]:
    """One page of a set, and the cursor of the next; None after the last."""
    (cursor, page), *_ = yield Batch([('SSCAN', key, cursor, 'COUNT', PAGE), *hold])
    return (None if cursor in (b'0', 0) else cursor), page


def _retire(
    schema: Schema, old: bytes, known: Collection[bytes], hold: tuple[Command, ...]
) -> Flow[None]:
    """Give the replaced rows their expiry.

    Index entries that another version's writer made between listing and swap are taken out by the
    rows' own values, which nobody can change any more.
    """
    keys = schema.keys
    fields = [column.key for column in schema.indexed]
    cursor: Any = b'0'
    while cursor is not None:
        cursor, page = yield from _page(old, cursor, hold)
        rows = yield from ask(
            *RETIRE([keys.all], GRACE_MS, keys.data_prefix, len(fields), *fields, *page)
        )
        left: dict[bytes, list[bytes]] = {}
        for pk, row in rows:
            for key in _index_keys(schema, row):
                if key not in known:
                    left.setdefault(key, []).append(pk)
        if left:
            yield Batch([PRUNE([keys.all, key], *pks) for key, pks in left.items()])


def _index_keys(schema: Schema, row: Any) -> list[bytes]:
    return [
        schema.keys.index(column.key, column.index_of_stored(stored))
        for column, stored in zip(schema.indexed, row, strict=True)
    ]


def index_keys_in_use(schema: Schema, hold: Command) -> Flow[set[bytes]]:
    """The index sets that hold the objects of the model, found by their rows.

    :param hold: the command that prolongs the lock, sent with each step
    """
    found: set[bytes] = set()
    fields = [column.key for column in schema.indexed]
    cursor: Any = b'0' if fields else None
    while cursor is not None:
        cursor, page = yield from _page(schema.keys.all, cursor, (hold,))
        if page:
            rows = yield Batch([('HMGET', schema.keys.data(int(pk)), *fields) for pk in page])
            for row in rows:
                found.update(_index_keys(schema, row))
    return found
