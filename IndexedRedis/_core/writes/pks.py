"""Drawing pks: never inside the script that stores, which may be sent twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..flows import Batch, Flow, Stream, ask, chunks
from ..mapping.schema import Schema
from .key_types import wrong_type
from .scripts import RESERVE

__all__ = ('give_pks', 'highest', 'reserve')

# How many pks one command looks at.
GROUP = 1000


def highest(pks: Iterable[int]) -> int:
    """Return the highest of these pks, 0 if there is none."""
    return max(pks, default=0)


def reserve(schema: Schema, count: int, above: int = 0) -> Flow[int]:
    """Reserve ``count`` pks that nobody has; returns the first.

    :param above: the highest of the pks that are about to be used besides
    :raises WrongKeyTypeError: if the counter, or the set of all pks, is something else
    """
    keys = schema.keys
    while True:
        answer = yield from ask(*RESERVE([keys.next, keys.all], count, above, GROUP))
        if isinstance(answer, list):
            raise wrong_type(schema, *answer)
        first = int(answer)
        if count <= GROUP or not (yield from _any_in_use(schema, range(first, first + count))):
            return first


def _any_in_use(schema: Schema, pks: Iterable[int]) -> Flow[bool]:
    used: list[Any] = []
    asked = (Batch([('SMISMEMBER', schema.keys.all, *group)]) for group in chunks(pks, GROUP))
    yield Stream(asked, lambda replies: used.extend(replies[0]))
    return 1 in used


def give_pks(entries: Sequence[Any], above: int = 0) -> Flow[None]:
    """Reserve a pk for each of the entries, which are of one model.

    :param above: the highest of the pks that are about to be used besides
    """
    if entries:
        first = yield from reserve(entries[0].schema, len(entries), above)
        for pk, entry in enumerate(entries, first):
            entry.pk = pk
