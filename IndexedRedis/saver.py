"""Storing objects: one, many, or a whole data set at once."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from ._core import replace, write
from ._core.plan import Flow
from ._core.schema import Schema
from .errors import UsageError
from .helper import IndexedRedisHelper, new_primary_key

__all__ = ('IndexedRedisSave', 'reset')


class IndexedRedisSave(IndexedRedisHelper):
    """Stores objects of a model. Get one as ``Model.saver``."""

    def save(self, obj: Any, *, forceID: Any = False) -> list[int]:
        """Store one object, or all of a list, or none of them.

        New objects are inserted; of others only the changed fields are written.

        :param obj: one object, or an iterable of objects
        :param forceID: a pk to store the object under (for several: a list of pks, with ``False``
            for those that need none). What is stored there is overwritten, and the counter of pks
            moves past it.
        :returns: the pks, in order
        :raises FieldValueError: if a value cannot be stored
        :raises ObjectGoneError: if an object is no longer stored
        :raises UsageError: if it is no object of the model, or listed twice

        Redis: a script to reserve pks, then a script; for several new objects one ``MULTI`` of an
        ``HSET`` each and an ``SADD`` for each index set.
        """
        objs = [obj] if getattr(obj, '_is_ir_model', False) else _listed(self._schema, obj)
        return self._run(write.save(self._schema, objs, _forced(forceID, len(objs))))

    def saveMultiple(self, objs: Iterable[Any]) -> list[int]:
        """Store all of a list of objects; see :meth:`save`."""
        return self.save(objs)


def _listed(schema: Schema, objs: Any) -> list[Any]:
    try:
        return list(objs)
    except TypeError:
        raise UsageError(
            f'{schema.name}: {objs!r} is neither an object nor a list of objects.'
        ) from None


def _forced(given: Any, count: int) -> list[int | None]:
    if given is False or given is None:
        return [None] * count
    pks = list(given) if isinstance(given, (list, tuple)) else [given]
    if len(pks) != count:
        raise UsageError(f'forceID names {len(pks)} pks for {count} objects; give one for each.')
    return [None if pk is False or pk is None else new_primary_key(pk) for pk in pks]


def reset(schema: Schema, objs: Iterable[Any]) -> Flow[list[int]]:
    """The flow of ``reset()``, under a token that no other one has."""
    return replace.reset(schema, _listed(schema, objs), uuid.uuid4().hex.encode('ascii'))
