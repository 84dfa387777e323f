"""What the query manager, the saver and the deleter of a model have in common."""

from __future__ import annotations

import operator
from typing import Any, TypeVar

from ._core.plan import Flow
from ._core.schema import Schema
from .connections import executor_for
from .errors import UsageError

__all__ = ('IndexedRedisHelper', 'executor_of', 'new_primary_key', 'primary_key')

T = TypeVar('T')

# Scripts count with floating point numbers, which are exact up to here.
HIGHEST_PK = 2**53 - 1


def executor_of(model: Any, obj: Any = None) -> Any:
    """Return the executor of a model, or of one of its objects that has a connection of its own."""
    client = getattr(model if obj is None else obj, '_connection', None)
    return executor_for(model.REDIS_CONNECTION_PARAMS, client, executor_of)


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

    def _run(self, flow: Flow[T]) -> T:
        result: T = executor_of(self.mdl, self._obj).run(flow)
        return result
