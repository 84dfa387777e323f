"""Finish a committed write that a killed process left, then go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ..flows import Flow
from ..locking.locks import new_token
from ..writes.compare_and_move import UnfinishedWrite

__all__ = ('recovering',)

T = TypeVar('T')


def recovering(make: Callable[[], Flow[T]]) -> Flow[T]:
    """Run the flow that ``make`` gives; finish an unfinished write that it meets, and run it again.

    :raises ResetInProgressError: if another owner holds the lock of the model for too long
    """
    while True:
        try:
            return (yield from make())
        except UnfinishedWrite as found:
            schema = found.schema
        from .recovery import recover_now  # only after a crash

        yield from recover_now(schema, new_token())
