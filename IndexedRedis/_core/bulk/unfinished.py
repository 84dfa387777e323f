"""Finish a committed write that a killed process left, or wait for a value, then go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ...errors import ResetInProgressError
from ..flows import Flow, Pause
from ..locking.locks import PAUSE_SECONDS, WAIT_SECONDS, new_token
from ..writes.compare_and_move import UnfinishedWrite
from ..writes.unique import ValueReserved

__all__ = ('recovering',)

T = TypeVar('T')


def recovering(make: Callable[[], Flow[T]]) -> Flow[T]:
    """Run the flow that ``make`` gives; finish an unfinished write that it meets, and run it again.

    While another writer reserves a unique value, wait and run it again.

    :raises ResetInProgressError: if another owner holds the lock of the model for too long
    """
    waited = 0.0
    while True:
        try:
            return (yield from make())
        except UnfinishedWrite as found:
            schema = found.schema
        except ValueReserved as found:
            if waited >= WAIT_SECONDS:
                raise ResetInProgressError(
                    f'{found.schema.name}: a reset, or another write of many objects, is about to '
                    f'store the same unique value and did not end within {WAIT_SECONDS:.0f} s. Try '
                    'again when it is done.'
                ) from None
            yield Pause(PAUSE_SECONDS)
            waited += PAUSE_SECONDS
            continue
        from .recovery import recover_now  # only after a crash

        yield from recover_now(schema, new_token())
