"""Checks of arguments that callers pass to the managers."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from .._core.mapping.schema import Schema
from ..errors import UsageError

__all__ = (
    'NOT_GIVEN',
    'list_or_iterator',
    'refuse_pipeline',
)


class _NotGiven:
    """The default of a parameter for which None could be a mistake."""

    def __repr__(self) -> str:
        return '<not given>'


NOT_GIVEN: Any = _NotGiven()


def list_or_iterator(schema: Schema, objs: Any) -> list[Any] | Iterator[Any]:
    """Return a collection as a list, and another iterable as an iterator.

    :raises UsageError: if ``objs`` is not iterable, or only by ``async for``
    """
    if hasattr(objs, '__aiter__'):
        raise UsageError(
            f'{schema.name}: {objs!r} is an asynchronous iterator, which a save or reset cannot '
            'read. Read it first: [obj async for obj in ...].'
        )
    try:
        return list(objs) if isinstance(objs, Collection) else iter(objs)
    except TypeError:
        raise UsageError(
            f'{schema.name}: {objs!r} is neither an object nor a list of objects. Pass one of them.'
        ) from None


def refuse_pipeline(use_pipeline: bool, conn: Any) -> None:
    """Refuse to queue commands onto a pipeline of the caller.

    :raises UsageError: if the arguments ask for it
    """
    if not use_pipeline or conn is not None:
        raise UsageError(
            'Queueing onto a pipeline of the caller (usePipeline=False, conn=...) is not possible: '
            'the commands depend on replies of the server. Pass all objects in one call, which '
            'stores or deletes all of them or none.'
        )
