"""The saver: it stores and reindexes objects of a model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._core.flows import Flow
from .._core.links import saving
from .._core.partitions import writing
from ..errors import UsageError
from ..fields.base.primary_keys import new_primary_key
from ..generics import M
from ..twins import awaitable
from .arguments import list_or_iterator, refuse_pipeline
from .manager import IndexedRedisHelper

__all__ = ('IndexedRedisSave',)


class IndexedRedisSave(IndexedRedisHelper[M]):
    """Stores objects of a model. Get one as ``Model.saver``."""

    def save(
        self,
        obj: M | Iterable[M],
        usePipeline: bool = True,
        forceID: Any = False,
        cascadeSave: bool = True,
        conn: Any = None,
    ) -> list[int]:
        """Store objects, all or none, and return their pks.

        A new object is inserted; of another object only the changed fields are written. Linked
        objects that are new or changed are stored along, targets first; those on another server are
        stored first, in a write of their own.

        An iterator, such as a generator, is read and stored in blocks of 1,000 objects, each all or
        none. If a block fails, the earlier ones are stored. Of a model with ``PARTITIONS``, the
        objects of one partition are stored all or none.

        :param obj: one object, or an iterable of objects
        :param usePipeline: an argument of 6.0.3; only True is accepted
        :param forceID: the pk to store the object under, or a list of pks (False: none) for a list
            of objects. An object that is stored there is overwritten, and the counter of pks moves
            past it.
        :param cascadeSave: store linked objects too; else links to unsaved objects are left out
        :param conn: an argument of 6.0.3; only None is accepted
        :returns: the pks, in the order of the objects
        :raises FieldValueError: if a value cannot be stored
        :raises ObjectGoneError: if an object is no longer stored
        :raises OutcomeUnknownError: if a save of a new object failed 23 hours ago or more
        :raises ResetInProgressError: if another long write of the model does not end within 15 s
        :raises UniqueError: if two objects would have one unique value; then nothing is stored
        :raises UsageError: if an argument is not an object of the model, or is listed twice

        Redis: one script draws the pk of a single new object with ``INCRBY`` and ``INFO``, notes it
        with ``SET``, and stores the row with ``HSET`` and ``SADD``. For several new objects, one
        script reserves the pks, and another one stores the rows. A list of more than some hundred
        objects goes in steps, as transactions and scripts of a few milliseconds under the lock of
        the model.
        """
        return self._run(self._save(obj, usePipeline, forceID, cascadeSave, conn))

    @awaitable(save)
    async def asave(
        self,
        obj: M | Iterable[M],
        usePipeline: bool = True,
        forceID: Any = False,
        cascadeSave: bool = True,
        conn: Any = None,
    ) -> list[int]:
        return await self._arun(self._save(obj, usePipeline, forceID, cascadeSave, conn))

    def saveMultiple(self, objs: Iterable[M]) -> list[int]:
        """Store a list of objects, all or none, and return their pks; see :meth:`save`."""
        return self._run(self._save(objs))

    @awaitable(saveMultiple)
    async def asaveMultiple(self, objs: Iterable[M]) -> list[int]:
        return await self._arun(self._save(objs))

    def reindex(self, objs: Iterable[M], conn: Any = None) -> int:
        """Add stored objects to all index sets and sorted sets that have to list them.

        :param objs: the objects; their stored values count, not those in memory
        :param conn: an argument of 6.0.3; only None is accepted
        :returns: the number of objects

        Redis: for 25 objects at a time ``SMISMEMBER``, ``HMGET``, and one script of ``SADD``,
        ``SREM`` and ``ZADD``.
        """
        return self._run(self._reindex(objs, conn))

    @awaitable(reindex)
    async def areindex(self, objs: Iterable[M], conn: Any = None) -> int:
        return await self._arun(self._reindex(objs, conn))

    def compat_convertHashedIndexes(self, objs: Iterable[M], conn: Any = None) -> int:
        """Convert index entries as :meth:`IndexedRedisQuery.compat_convertHashedIndexes` does.

        :param objs: the objects; their stored values count, not those in memory
        :param conn: an argument of 6.0.3; only None is accepted
        :returns: the number of objects
        """
        return self._run(self._reindex(objs, conn, rehash=True))

    @awaitable(compat_convertHashedIndexes)
    async def acompat_convertHashedIndexes(self, objs: Iterable[M], conn: Any = None) -> int:
        return await self._arun(self._reindex(objs, conn, rehash=True))

    def _save(
        self,
        obj: M | Iterable[M],
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

    def _reindex(self, objs: Iterable[M], conn: Any, rehash: bool = False) -> Flow[int]:
        refuse_pipeline(True, conn)
        given: Iterable[Any] = objs
        pks = [obj._id for obj in given if obj._id is not None]
        return writing.reindex_pks(self._schema, pks, rehash)


def _forced(given: Any, count: int) -> list[int | None]:
    if given is False or given is None:
        return [None] * count
    pks = list(given) if isinstance(given, (list, tuple)) else [given]
    if len(pks) != count:
        raise UsageError(f'forceID names {len(pks)} pks for {count} objects. Give one for each.')
    return [None if pk is False or pk is None else new_primary_key(pk) for pk in pks]
