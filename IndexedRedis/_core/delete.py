"""The flows that delete: compare-and-move from stored bytes, decoding nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import ConflictError
from .entry import belief, check_model, index_keys_of_rows
from .plan import Batch, Command, Flow, Stream, ask, chunks
from .read import Query, primary_keys, rows_of
from .schema import Schema
from .scripts import DELETE
from .state import UNKNOWN, believed, forget
from .write import ROUNDS
from .wrong_keys import wrong_type

__all__ = ('delete_matching', 'delete_objects', 'delete_pks')

# Objects deleted by one script: it holds up the server for a few milliseconds at most.
CHUNK = 250
# Objects of a filtered delete whose rows are fetched, and then deleted, with chunks overlapping.
BLOCK = 5000

Beliefs = dict[int, list[Any]]


def delete_objects(schema: Schema, objs: Sequence[Any]) -> Flow[int]:
    """Delete stored objects; returns how many of ``objs`` had a pk.

    Their pk is ``None`` afterwards, and a save stores them anew.
    """
    for obj in objs:
        check_model(schema, obj)
    stored = [obj for obj in objs if obj._id is not None]
    yield from _delete(
        schema, {obj._id: [believed(obj, column) for column in schema.indexed] for obj in stored}
    )
    for obj in stored:
        forget(obj)
    return len(stored)


def delete_pks(schema: Schema, pks: Sequence[int]) -> Flow[int]:
    """Delete the objects of ``pks``; returns how many there were."""
    unknown = [UNKNOWN] * len(schema.indexed)
    return (yield from _delete(schema, dict.fromkeys(pks, unknown)))


def delete_matching(query: Query) -> Flow[int]:
    """Select and delete in bounded chunks; returns how many objects there were.

    An object that another process has changed so that it does not match any more stays. Entries
    of objects that are long gone are taken out of the index sets that the filters name.
    """
    schema = query.schema
    pks = yield from primary_keys(query, ordered=True, living=False)
    leave = [key for expression in query.expressions for key in expression.every]
    count = 0
    for block in chunks(pks, BLOCK):
        rows = yield from rows_of(schema, block, schema.indexed or schema.all[:1])
        beliefs = {
            pk: list(row)[: len(schema.indexed)] if row else [None] * len(schema.indexed)
            for pk, row in zip(block, rows, strict=True)
            if row is None or _matches(query, row)
        }
        count += yield from _delete_in_steps(query, beliefs, leave)
    return count


def _matches(query: Query, row: Any) -> bool:
    indexed = query.schema.indexed
    return all(
        lookup.accepts(column.index_of_stored(row[indexed.index(column)]), wanted)
        for column, lookup, wanted in query.filters
    )


def _delete_in_steps(query: Query, beliefs: Beliefs, leave: Sequence[bytes]) -> Flow[int]:
    """Delete these objects, some of them at a time; returns how many were there."""
    schema = query.schema
    steps = [dict(some) for some in chunks(beliefs.items(), CHUNK)]
    answers: list[Any] = []
    yield Stream((Batch([_command(schema, step, leave)]) for step in steps), answers.extend)
    count = 0
    for step, answer in zip(steps, answers, strict=True):
        if isinstance(answer, int):
            count += answer
        else:
            _take_in(schema, step, answer, query)
            count += yield from _delete(schema, step, leave, query)
    return count


def _delete(
    schema: Schema, beliefs: Beliefs, leave: Sequence[bytes] = (), query: Query | None = None
) -> Flow[int]:
    """Delete all of these objects, or none; returns how many were there."""
    for _ in range(ROUNDS):
        if not beliefs:
            return 0
        answer = yield from ask(*_command(schema, beliefs, leave))
        if isinstance(answer, int):
            return answer
        _take_in(schema, beliefs, answer, query)
    raise ConflictError(
        f'{schema.name}: other writers changed the same objects {ROUNDS} times while they were '
        'being deleted; try again.'
    )


def _take_in(
    schema: Schema, beliefs: Beliefs, problems: Sequence[Any], query: Query | None
) -> None:
    """Believe what the script found instead; pass over what does not match any more."""
    pks = list(beliefs)
    for number, kind, *details in problems:
        if kind == b'type':
            raise wrong_type(schema, *details)
        actual = list(details[0])
        if query is not None and not _matches(query, actual):
            del beliefs[pks[number - 1]]
        else:
            beliefs[pks[number - 1]] = actual


def _command(schema: Schema, beliefs: Beliefs, leave: Sequence[bytes]) -> Command:
    pks = [b'%d' % pk for pk in beliefs]
    keys = [schema.keys.all, schema.keys.lock, *(schema.keys.data_prefix + pk for pk in pks)]
    args: list[Any] = [len(pks), len(schema.indexed), *(column.key for column in schema.indexed)]
    for pk, row in zip(pks, beliefs.values(), strict=True):
        args += (pk, *map(belief, row))
    listed = index_keys_of_rows(schema, pks, beliefs.values())
    for key, some in {**listed, **dict.fromkeys(leave, pks)}.items():
        keys.append(key)
        args += (len(some), *some)
    return DELETE(keys, *args)
