"""Storing objects: one, many, or a whole data set at once."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from ._core import links, maintain, replace
from ._core.plan import Flow
from ._core.schema import Schema
from .errors import UsageError
from .helper import IndexedRedisHelper, new_primary_key, refuse_pipeline

__all__ = ('IndexedRedisSave', 'reset')


class IndexedRedisSave(IndexedRedisHelper):
    """Stores objects of a model. Get one as ``Model.saver``."""

    def save(
        self,
        obj: Any,
        usePipeline: bool = True,
        forceID: Any = False,
        cascadeSave: bool = True,
        conn: Any = None,
    ) -> list[int]:
        """Store one object, or all of a list, or none of them.

        New objects are inserted; of others only the changed fields are written. Linked objects
        that are new or changed are stored in the same transaction, children first; those on other
        servers before it, in one of their own.

        :param obj: one object, or an iterable of objects
        :param usePipeline: of 6.0.3; False is refused, since a save has to see the answer
        :param cascadeSave: store linked objects too; without, links to unsaved ones are left out
        :param conn: of 6.0.3; a pipeline of the caller is refused likewise
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
        refuse_pipeline(usePipeline, conn)
        schema = self._schema
        objs = [obj] if getattr(obj, '_is_ir_model', False) else _listed(schema, obj)
        place = self._place if cascadeSave else None
        return self._run(links.save(schema, objs, _forced(forceID, len(objs)), place))

    def saveMultiple(self, objs: Iterable[Any]) -> list[int]:
        """Store all of a list of objects; see :meth:`save`."""
        return self.save(objs)

    def reindex(self, objs: Iterable[Any], conn: Any = None) -> int:
        """Put stored objects into the indexes of all ``INDEXED_FIELDS``; returns how many.

        :param objs: the objects; what is stored counts, not what they hold
        :param conn: of 6.0.3; a pipeline of the caller is refused
        """
        refuse_pipeline(True, conn)
        return self._run(maintain.reindex(self._schema, _stored_pks(objs)))

    def compat_convertHashedIndexes(self, objs: Iterable[Any], conn: Any = None) -> int:
        """As :meth:`IndexedRedisQuery.compat_convertHashedIndexes`, for given objects."""
        refuse_pipeline(True, conn)
        return self._run(maintain.reindex(self._schema, _stored_pks(objs), rehash=True))


def _stored_pks(objs: Iterable[Any]) -> list[int]:
    return [obj._id for obj in objs if obj._id is not None]


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


def reset(schema: Schema, objs: Iterable[Any], place: Any) -> Flow[list[int]]:
    """The flow of ``reset()``, under a token that no other one has."""
    token = uuid.uuid4().hex.encode('ascii')
    return replace.reset(schema, _listed(schema, objs), token, place)
