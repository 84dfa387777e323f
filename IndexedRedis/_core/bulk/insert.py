"""Store a long list of new objects in steps that no query sees, then publish them.

One script for all of them would block the server for 10 to 30 us a row. But no query returns a pk
that the set of all pks does not list, and listing takes 0.6 to 1.2 us a pk. Up to
``PUBLISHED_AT_ONCE`` objects are published in one moment, more of them in steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice

from ..flows import Batch, Command, Flow, Stream, chunks
from ..incarnations import is_lost, read_incarnations
from ..keys import RANGES, ranges_of
from ..locking.key_types import check_types
from ..locking.locks import LockOwner, extend_command, new_token
from ..locking.transactions import CHUNK, LISTED, SETS, guarded_store, in_scores, objection
from ..mapping.encoder import StoredRow
from ..mapping.index_keys import grouped_by_index
from ..mapping.schema import Schema
from ..writes.inserts.insert import Draft
from ..writes.scripts import TOUCHED_MS
from ..writes.unique import reserve_values
from .redo import PUBLISHED_AT_ONCE, publish_commands
from .steps import in_committed_steps

__all__ = ('insert_many', 'set_steps')


class _Refused(Exception):
    """A guard objected. Comparing row by row finds the reason."""


def insert_many(drafts: Sequence[Draft]) -> Flow[bool]:
    """Store all objects, whose pks are drawn, or none.

    :returns: whether they are stored
    :raises ResetInProgressError: if a reset, or another write of a long list, takes too long
    """
    token = new_token()
    owners = [LockOwner(draft.schema, token) for draft in drafts]
    few = sum(len(draft.pks) for draft in drafts) <= PUBLISHED_AT_ONCE
    publish = [
        command
        for draft, owner in zip(drafts, owners, strict=True)
        for part, _ in ranges_of(draft.pks)
        for command in publish_commands(owner, part, in_full=few)
    ]
    at_once, in_steps = (publish, []) if few else ([], publish)

    def publish_in_steps() -> Flow[None]:
        extend = extend_command(owners)
        yield Stream((Batch([each, extend]) for each in in_steps), lambda replies: None)

    try:
        yield from in_committed_steps(owners, _store(drafts, owners), publish_in_steps, at_once)
    except _Refused:
        return False
    return True


def _store(drafts: Sequence[Draft], owners: Sequence[LockOwner]) -> Flow[None]:
    extend = extend_command(owners)
    for draft in drafts:
        yield from check_types(draft.schema, draft.schema.sorted_keys, b'zset')
    # A server that holds these locks and has these pks keeps both in later failovers.
    if any(draft.drawn for draft in drafts):
        yield from _check_pks(drafts, extend)
    for draft, owner in zip(drafts, owners, strict=True):
        if draft.schema.uniques:
            yield from reserve_values(owner, draft.claims(), extend)
    # Index entries come after the rows, when it is certain that all pks are free.
    for steps in (_row_steps, _set_steps):
        each = chain.from_iterable(map(steps, drafts, owners))
        yield Stream((Batch([extend, *commands]) for commands in each), _check)


def _check_pks(drafts: Sequence[Draft], extend: Command) -> Flow[None]:
    """Make sure that the pks were drawn from the data of the server that holds the locks."""
    keys = [draft.schema.keys for draft in drafts]
    counters = (('GET', each.next) for each in keys)
    held, listed, *counts = yield Batch([extend, read_incarnations(*keys), *counters])
    if not held:
        raise _Refused
    for draft, each, count in zip(drafts, listed, counts, strict=True):
        if draft.drawn and (
            is_lost(each, draft.drawn, draft.pks[-1]) or int(count or 0) < draft.pks[-1]
        ):
            raise _Refused


def _check(replies: Sequence[object]) -> None:
    held, *others = replies
    if objection(others) is not None or not held:
        raise _Refused


def _row_steps(draft: Draft, owner: LockOwner) -> Iterator[list[Command]]:
    schema, keys, token = draft.schema, draft.schema.keys, owner.token
    rows = iter(draft.rows)
    for part, text in ranges_of(draft.pks):
        for pks in chunks(part, CHUNK):
            names = [keys.data(pk) for pk in pks]
            commands = [
                ('SADD', keys.work(token, RANGES), text),
                *schema.set_rows(names, [*islice(rows, len(pks))]),
            ]
            yield guarded_store(keys, token, commands, pks, names)


def _set_steps(draft: Draft, owner: LockOwner) -> Iterator[list[Command]]:
    return set_steps(draft.schema, owner.token, draft.pks, draft.rows)


def set_steps(
    schema: Schema, token: bytes, numbers: range, stored: Sequence[StoredRow]
) -> Iterator[list[Command]]:
    """Yield what adds the index entries of stored rows whose pks are not listed yet."""
    keys = schema.keys
    for pks, rows in zip(chunks(numbers, LISTED), chunks(stored, LISTED), strict=True):
        texts = [b'%d' % pk for pk in pks]
        for scores in in_scores(schema, texts, rows):
            adding = [('ZADD', key, *members) for key, members in scores.items()]
            yield guarded_store(keys, token, adding)
        sets = grouped_by_index(schema, texts, rows)
        for some in chunks(sets.items(), SETS):
            names = [key for key, _ in some]
            commands = [
                # So counting does not trust the sizes of these sets.
                ('SADD', keys.touched, *names),
                ('PEXPIRE', keys.touched, TOUCHED_MS),
                *(('SADD', key, *members) for key, members in some),
            ]
            yield guarded_store(keys, token, commands, sets=names)
