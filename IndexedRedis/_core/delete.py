"""The flows that delete: compare-and-move from stored bytes, decoding nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import ConflictError
from .column import Column
from .entry import belief, check_model, index_keys_of
from .plan import Command, Flow, ask, chunks
from .read import Query, primary_keys, rows_of
from .schema import Schema
from .scripts import DELETE
from .state import UNKNOWN, believed, forget
from .write import ROUNDS
from .wrong_keys import wrong_type

__all__ = ('delete_matching', 'delete_objects', 'delete_pks')

# Objects deleted by one script: it holds up the server for a few milliseconds at most.
CHUNK = 250

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
    for chunk in chunks(pks, CHUNK):
        rows = yield from rows_of(schema, chunk, schema.indexed or schema.all[:1])
        beliefs = {
            pk: list(row)[: len(schema.indexed)] if row else [None] * len(schema.indexed)
            for pk, row in zip(chunk, rows, strict=True)
            if row is None or _matches(query, row)
        }
        count += yield from _delete(schema, beliefs, leave, query)
    return count


def _matches(query: Query, row: Any) -> bool:
    indexed = query.schema.indexed
    return all(
        lookup.accepts(column.index_of_stored(row[indexed.index(column)]), wanted)
        for column, lookup, wanted in query.filters
    )


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
        pks = list(beliefs)
        for number, kind, *details in answer:
            if kind == b'type':
                raise wrong_type(schema, *details)
            pk = pks[number - 1]
            actual = _learned(schema, beliefs[pk], details[0])
            if query is not None and not _matches(query, actual):
                del beliefs[pk]
            else:
                beliefs[pk] = actual
    raise ConflictError(
        f'{schema.name}: other writers changed the same objects {ROUNDS} times while they were '
        'being deleted; try again.'
    )


def _moves(schema: Schema, row: Sequence[Any]) -> list[tuple[Column, Any, bytes]]:
    """What has to leave where: column, what is believed to be stored, index set."""
    return [
        (column, stored, key)
        for column, stored in zip(schema.indexed, row, strict=True)
        # Nothing is known to leave before the script has told what is stored.
        for key in (
            [schema.keys.all] if stored is UNKNOWN else index_keys_of(schema, column, stored)
        )
    ]


def _learned(schema: Schema, row: Sequence[Any], actual: Sequence[bytes | None]) -> list[Any]:
    """The row as it is really stored, as the script gave it for each move."""
    by_column = {
        column.name: stored
        for (column, *_), stored in zip(_moves(schema, row), actual, strict=True)
    }
    return list(by_column.values())


def _command(schema: Schema, beliefs: Beliefs, leave: Sequence[bytes]) -> Command:
    keys = [schema.keys.all, schema.keys.lock, *leave]
    args: list[Any] = [len(leave), len(beliefs)]
    for pk, row in beliefs.items():
        moves = _moves(schema, row)
        keys.append(schema.keys.data(pk))
        args += (pk, len(moves))
        for column, stored, key in moves:
            args += (column.key, belief(stored))
            keys.append(key)
    return DELETE(keys, *args)
