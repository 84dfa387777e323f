"""Delete a long list of objects, all or none: in committed steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..flows import Batch, Flow
from ..incarnations import is_lost, read_incarnations
from ..locking.key_types import check_types
from ..locking.locks import LockOwner, extend_command, lock_lost_error, new_token
from ..mapping.index_keys import index_keys_of_rows
from ..mapping.schema import Schema
from ..overlap import side_by_side
from ..queries.by_pk import indexed_values_of
from ..writes.delete import Drawn, Expected, delete_rows
from ..writes.sizes import STEP_US, delete_us, in_steps
from .redo import store_left
from .steps import in_committed_steps, step_of

__all__ = ('delete_in_steps',)

# Largest number of objects of one step.
ROWS_OF_A_STEP = 250


def delete_in_steps(schema: Schema, pks: Iterable[int], drawn: Drawn) -> Flow[int]:
    """Delete the objects of ``pks``, all or none; readers see it step by step.

    :param drawn: the incarnations of pks; lost pks are left out
    :returns: how many were stored
    :raises WrongKeyTypeError: if a key to write to holds another type; then nothing is deleted
    :raises ResetInProgressError: if a reset, or another write of a long list, takes too long
    """
    owner = LockOwner(schema, new_token())
    # indexed_values_of() fetches so few rows in one batch.
    us = max(delete_us(schema), STEP_US // ROWS_OF_A_STEP)
    stored: list[Expected] = []

    def prepare() -> Flow[None]:
        extend = extend_command([owner])
        yield from check_types(schema, [schema.keys.all])
        yield from check_types(schema, schema.sorted_keys, b'zset')
        held, (listed,) = yield Batch([extend, read_incarnations(schema.keys)])
        if not held:
            raise lock_lost_error([owner])
        living = [pk for pk in pks if not is_lost(listed, drawn.get(pk, b''), pk)]

        def prepare_some(some: list[int]) -> Flow[None]:
            stored.append((yield from _look_up(schema, some)))
            yield from store_left(owner, dict.fromkeys(some, b''), extend)

        yield from side_by_side(map(prepare_some, in_steps(living, lambda pk: us)))

    def carry_out() -> Flow[int]:
        step = step_of(owner, [owner])
        counts = yield from side_by_side(delete_rows(schema, e, step=step) for e in stored)
        return sum(counts)

    return (yield from in_committed_steps([owner], prepare(), carry_out))


def _look_up(schema: Schema, pks: Sequence[int]) -> Flow[Expected]:
    """Check the types of the keys to write to; return the stored values of indexed fields by pk."""
    yield from check_types(schema, [schema.keys.data(pk) for pk in pks], b'hash')
    values = yield from indexed_values_of(schema, pks)
    expected = dict(zip(pks, values, strict=True))
    texts = [b'%d' % pk for pk in expected]
    yield from check_types(schema, list(index_keys_of_rows(schema, texts, expected.values())))
    return expected
