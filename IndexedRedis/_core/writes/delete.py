"""The flows that delete: compare-and-move from stored bytes, decoding nothing."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from typing import Any

from ...errors import ConflictError
from ..flows import Command, Flow, ask, chunks
from ..mapping.index_keys import index_keys_of_rows
from ..mapping.schema import Schema
from ..objects.state import UNKNOWN, expected_bytes, forget
from ..overlap import side_by_side
from ..queries.by_pk import rows_of
from ..queries.matching import Matcher
from ..queries.query import Query, primary_keys
from .arguments import check_model
from .compare_and_move import ROUNDS
from .entry import expected_token
from .key_types import wrong_type
from .scripts import DELETE

__all__ = ('delete_matching', 'delete_objects', 'delete_pks')

# Objects deleted by one script: it holds up the server for a few milliseconds at most. Of so many,
# rows_of() fetches the rows in one batch.
CHUNK = 250

Expected = dict[int, list[Any]]


def delete_objects(schema: Schema, objs: Sequence[Any]) -> Flow[int]:
    """Delete stored objects; returns how many of ``objs`` had a pk.

    Their pk is ``None`` afterwards, and a save stores them anew.
    """
    for obj in objs:
        check_model(schema, obj)
    stored = [obj for obj in objs if obj._id is not None]
    yield from _delete(
        schema,
        {obj._id: [expected_bytes(obj, column) for column in schema.indexed] for obj in stored},
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
    pks = yield from primary_keys(query, ordered=True, excluding_dead=False)
    leave = [key for expression in query.expressions for key in expression.every]
    matcher = Matcher(query.filters, query.schema.indexed)
    counts = yield from side_by_side(
        _delete_some(query.schema, some, leave, matcher) for some in chunks(pks, CHUNK)
    )
    return sum(counts)


def _delete_some(
    schema: Schema, pks: Sequence[int], leave: Sequence[bytes], matcher: Matcher
) -> Flow[int]:
    """Delete those of these objects that match; returns how many were there."""
    rows = yield from rows_of(schema, pks, schema.indexed or schema.all[:1])
    width = len(schema.indexed)
    mask = matcher.mask([row for row in rows if row is not None])
    matches = repeat(True) if mask is None else iter(mask)
    expected = {
        pk: [None] * width if row is None else list(row)[:width]
        for pk, row in zip(pks, rows, strict=True)
        if row is None or next(matches)
    }
    return (yield from _delete(schema, expected, leave, matcher))


def _delete(
    schema: Schema, expected: Expected, leave: Sequence[bytes] = (), matcher: Matcher | None = None
) -> Flow[int]:
    """Delete all of these objects, or none; returns how many were there.

    :param matcher: leaves out those that do not match any more
    """
    for _ in range(ROUNDS):
        if not expected:
            return 0
        answer = yield from ask(*_command(schema, expected, leave))
        if isinstance(answer, int):
            return answer
        _take_in(schema, expected, answer, matcher)
    raise ConflictError(
        f'{schema.name}: other writers changed the same objects {ROUNDS} times while they were '
        'being deleted; try again.'
    )


def _take_in(
    schema: Schema, expected: Expected, problems: Sequence[Any], matcher: Matcher | None
) -> None:
    """Believe what the script found instead; pass over what does not match any more."""
    pks = list(expected)
    for number, kind, *details in problems:
        if kind == b'type':
            raise wrong_type(schema, *details)
        actual = list(details[0])
        if matcher is not None and not matcher.matches(actual):
            del expected[pks[number - 1]]
        else:
            expected[pks[number - 1]] = actual


def _command(schema: Schema, expected: Expected, leave: Sequence[bytes]) -> Command:
    pks = [b'%d' % pk for pk in expected]
    keys = [schema.keys.all, schema.keys.lock, *(schema.keys.data_prefix + pk for pk in pks)]
    args: list[Any] = [len(pks), len(schema.indexed), *schema.keys_of(schema.indexed), *pks]
    for row in expected.values():
        args += map(expected_token, row)
    listed = index_keys_of_rows(schema, pks, expected.values())
    for key, some in {**listed, **dict.fromkeys(leave, pks)}.items():
        keys.append(key)
        args += (len(some), *some)
    return DELETE(keys, *args)
