"""Checks of what callers pass to the managers."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from .._core.mapping.schema import Schema
from ..errors import UsageError

__all__ = (
    'list_or_iterator',
    'refuse_pipeline',
)


def list_or_iterator(schema: Schema, objs: Any) -> list[Any] | Iterator[Any]:
    """Return a list of what is in memory already, else the iterator.

    :raises UsageError: if ``objs`` is neither
    """
    if hasattr(objs, '__aiter__'):
        raise UsageError(
            f'{schema.name}: {objs!r} is an asynchronous iterator, which cannot be read while '
            'objects are stored. Read it first: [obj async for obj in ...].'
        )
    try:
        return list(objs) if isinstance(objs, Collection) else iter(objs)
    except TypeError:
        raise UsageError(
            f'{schema.name}: {objs!r} is neither an object nor a list of objects.'
        ) from None


def refuse_pipeline(use_pipeline: bool, conn: Any) -> None:
    """Refuse to queue onto a pipeline of the caller.

    :raises UsageError: if that is what the arguments ask for
    """
    if not use_pipeline or conn is not None:
        raise UsageError(
            'Queueing onto a pipeline of the caller (usePipeline=False, conn=...) is not possible: '
            'what is written depends on the answer of the server. Pass all objects in one call, '
            'which stores or deletes all of them or none.'
        )
