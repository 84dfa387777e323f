"""What the query manager, the saver and the deleter of a model have in common."""

from __future__ import annotations

import operator
from collections.abc import Collection, Iterator
from typing import Any, TypeVar

from ._core.plan import Flow
from ._core.schema import Schema
from .async_connections import async_executor_for
from .connections import executor_for, place_of
from .errors import UsageError

__all__ = (
    'IndexedRedisHelper',
    'async_executor_of',
    'executor_of',
    'list_or_iterator',
    'new_primary_key',
    'primary_key',
    'refuse_pipeline',
    'server_of',
)

T = TypeVar('T')

# Scripts count with floating point numbers, which are exact up to here.
HIGHEST_PK = 2**53 - 1


def executor_of(place: Any) -> Any:
    """Return the executor of a model, or of one of its objects that has a connection of its own."""
    return executor_for(place.REDIS_CONNECTION_PARAMS, place._connection, executor_of)


def async_executor_of(place: Any) -> Any:
    """As :func:`executor_of`, for the running event loop."""
    return async_executor_for(place.REDIS_CONNECTION_PARAMS, place._connection, async_executor_of)


def server_of(place: Any) -> Any:
    """Return what stands for the server of a model, or of one of its objects."""
    return place_of(place.REDIS_CONNECTION_PARAMS, place._connection)


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


def primary_key(value: Any) -> int:
    """Return a pk as number.

    :param value: a whole number of any type, or its digits as text or bytes
    :raises UsageError: if it is anything else
    """
    try:
        return int(value) if isinstance(value, (str, bytes)) else operator.index(value)
    except (TypeError, ValueError):
        pass
    raise UsageError(f'{value!r} is no primary key; it is a whole number, or its digits.')


def new_primary_key(value: Any) -> int:
    """Return a pk that an object is to be stored under.

    :param value: as of :func:`primary_key`
    :raises UsageError: if it is none, or outside the range of pks
    """
    pk = primary_key(value)
    if isinstance(value, bool) or not 1 <= pk <= HIGHEST_PK:
        raise UsageError(f'{value!r} cannot be used as a pk; pks go from 1 to 2**53 - 1.')
    return pk


class IndexedRedisHelper:
    """Does things with one model's stored objects.

    :param mdl: the model
    :param obj: an object of it, whose connection is to be used if it has one of its own
    """

    def __init__(self, mdl: Any, obj: Any = None) -> None:
        self.mdl = mdl
        self._obj = obj

    @property
    def _schema(self) -> Schema:
        schema: Schema = self.mdl._validated()
        return schema

    def _run(self, flow: Flow[T], answers: int | None = None) -> T:
        result: T = executor_of(self._here).run(flow, answers)
        return result

    async def _arun(self, flow: Flow[T], answers: int | None = None) -> T:
        result: T = await async_executor_of(self._here).run(flow, answers)
        return result

    def _read(self, flow: Flow[T]) -> T:
        """Run a flow that only reads; what it asks may be answered from memory."""
        return self._run(flow, self.mdl.CLIENT_SIDE_CACHE)

    async def _aread(self, flow: Flow[T]) -> T:
        return await self._arun(flow, self.mdl.CLIENT_SIDE_CACHE)

    @property
    def _here(self) -> Any:
        return self.mdl if self._obj is None else self._obj

    def _place(self, obj: Any) -> Any:
        """The server that a linked object is saved to; of None, the one this helper works on."""
        return server_of(self._here if obj is None else obj)

    def _get_key_for_index(self, field: Any, value: Any) -> str:
        """The whole key of the index set of a value; known programs look into it."""
        column = self._schema.columns[str.__str__(field)]
        key = self._schema.keys.index(column.key, column.index_of(column.from_input(value)))
        return key.decode('utf-8', 'surrogateescape')
