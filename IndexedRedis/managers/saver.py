"""Storing objects: one, or many."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._core.bulk import reindex
from .._core.flows import Flow
from .._core.links import saving
from ..errors import UsageError
from ..fields.base.primary_keys import new_primary_key
from ..twins import awaitable
from .arguments import list_or_iterator, refuse_pipeline
from .manager import IndexedRedisHelper

__all__ = ('IndexedRedisSave',)


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

        An iterator, such as a generator, is read and stored a thousand objects at a time, so that
        they need not be in memory together; each thousand is stored whole or not at all. If one
        fails, those before it are stored, and their objects have their pks.

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

        Redis: a script to reserve pks, then a script, with an ``HSET`` for each object and an
        ``SADD`` for each index set. Of 400 new objects or more these are transactions of 100 rows,
        under the lock of the model, and one at last that adds the pks.
        """
        return self._run(self._save(obj, usePipeline, forceID, cascadeSave, conn))

    @awaitable(save)
    async def asave(
        self,
        obj: Any,
        usePipeline: bool = True,
        forceID: Any = False,
        cascadeSave: bool = True,
        conn: Any = None,
    ) -> list[int]:
        return await self._arun(self._save(obj, usePipeline, forceID, cascadeSave, conn))

    def saveMultiple(self, objs: Iterable[Any]) -> list[int]:
        """Store all of a list of objects; see :meth:`save`."""
        return self._run(self._save(objs))

    @awaitable(saveMultiple)
    async def asaveMultiple(self, objs: Iterable[Any]) -> list[int]:
        return await self._arun(self._save(objs))

    def reindex(self, objs: Iterable[Any], conn: Any = None) -> int:
        """Put stored objects into the indexes of all ``INDEXED_FIELDS``; returns how many.

        :param objs: the objects; what is stored counts, not what they hold
        :param conn: of 6.0.3; a pipeline of the caller is refused
        """
        return self._run(self._reindex(objs, conn))

    @awaitable(reindex)
    async def areindex(self, objs: Iterable[Any], conn: Any = None) -> int:
        return await self._arun(self._reindex(objs, conn))

    def compat_convertHashedIndexes(self, objs: Iterable[Any], conn: Any = None) -> int:
        """As :meth:`IndexedRedisQuery.compat_convertHashedIndexes`, for given objects."""
        return self._run(self._reindex(objs, conn, rehash=True))

    @awaitable(compat_convertHashedIndexes)
    async def acompat_convertHashedIndexes(self, objs: Iterable[Any], conn: Any = None) -> int:
        return await self._arun(self._reindex(objs, conn, rehash=True))

    def _save(
        self,
        obj: Any,
        use_pipeline: bool = True,
        force_id: Any = False,
        cascade: bool = True,
        conn: Any = None,
    ) -> Flow[list[int]]:
        refuse_pipeline(use_pipeline, conn)
        schema, server_of = self._schema, self._server_of if cascade else None
        objs = [obj] if getattr(obj, '_is_ir_model', False) else list_or_iterator(schema, obj)
        if not isinstance(objs, list) and force_id is False:
            return saving.save_in_blocks(schema, objs, server_of)
        objs = list(objs)
        return saving.save(schema, objs, _forced(force_id, len(objs)), server_of)

    def _reindex(self, objs: Iterable[Any], conn: Any, rehash: bool = False) -> Flow[int]:
        refuse_pipeline(True, conn)
        pks = [obj._id for obj in objs if obj._id is not None]
        return reindex.reindex(self._schema, pks, rehash)


def _forced(given: Any, count: int) -> list[int | None]:
    if given is False or given is None:
        return [None] * count
    pks = list(given) if isinstance(given, (list, tuple)) else [given]
    if len(pks) != count:
        raise UsageError(f'forceID names {len(pks)} pks for {count} objects; give one for each.')
    return [None if pk is False or pk is None else new_primary_key(pk) for pk in pks]
