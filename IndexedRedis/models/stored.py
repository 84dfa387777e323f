"""The methods of models that talk to Redis. Each has an awaitable twin with the prefix ``a``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

from .._core.flows import Flow
from ..connections.tasks import async_executor_for
from ..connections.threads import executor_for
from ..twins import awaitable
from .manager_of import DeleterOf, QueryOf, SaverOf

__all__ = ('Stored',)

Changes = dict[str, tuple[Any, Any]]


class Stored:
    """The half of ``IndexedRedisModel`` that talks to Redis."""

    REDIS_CONNECTION_PARAMS: ClassVar[Any] = {}
    _connection: Any = None

    objects = QueryOf('IndexedRedisQuery')
    saver = SaverOf('IndexedRedisSave')
    deleter = DeleterOf('IndexedRedisDelete')

    @classmethod
    def reset(cls, objs: Iterable[Self]) -> list[int]:
        """Replace all stored objects of the model in one swap, and return the new pks.

        Readers see the old data set or the new one, and do not wait. New objects get fresh pks, in
        order; objects with a pk keep it. A save of a replaced object raises ``ObjectGoneError``.

        :param objs: the new data set. An iterator, such as a generator, is read in chunks, so that
            a few thousand objects are in memory at a time.
        :returns: the pks, in the order of the objects
        :raises ResetInProgressError: if another long write of the model does not end within 15 s
        :raises FieldValueError: if a value cannot be stored; then nothing is replaced
        :raises UniqueError: if two objects have one unique value; then nothing is replaced
        :raises UsageError: if an argument is not an object of the model, or is listed twice

        Redis: transactions stage rows and sets in overlapping chunks; one script swaps the sets.
        """
        pks: list[int] = cls.objects.reset(objs)
        return pks

    @classmethod
    @awaitable(reset)
    async def areset(cls, objs: Iterable[Self]) -> list[int]:
        pks: list[int] = await cls.objects.areset(objs)
        return pks

    def save(self, cascadeSave: bool = True) -> list[int]:
        """Store the object, and return a list of its pk; see :meth:`IndexedRedisSave.save`.

        :param cascadeSave: store linked objects too
        """
        pks: list[int] = self.saver.save(self, cascadeSave=cascadeSave)
        return pks

    @awaitable(save)
    async def asave(self, cascadeSave: bool = True) -> list[int]:
        pks: list[int] = await self.saver.asave(self, cascadeSave=cascadeSave)
        return pks

    def delete(self) -> int:
        """Delete the object; see :meth:`IndexedRedisDelete.deleteOne`."""
        count: int = self.deleter.deleteOne(self)
        return count

    @awaitable(delete)
    async def adelete(self) -> int:
        count: int = await self.deleter.adeleteOne(self)
        return count

    def reload(self, cascadeObjects: bool = True) -> Changes:
        """Fetch the stored values into this object, over local changes. Return the differences.

        :param cascadeObjects: reload linked objects in memory too
        :returns: ``{name: (local value, fetched value)}`` of the fields that differed
        :raises ObjectGoneError: if the object is not stored; it is a ``KeyError``

        Redis: ``SISMEMBER``, ``HMGET`` and ``MGET`` in one round trip; for linked objects one a
        level and model.
        """
        changes: Changes = self.objects._run(self._reloaded(cascadeObjects))
        return changes

    @awaitable(reload)
    async def areload(self, cascadeObjects: bool = True) -> Changes:
        changes: Changes = await self.objects._arun(self._reloaded(cascadeObjects))
        return changes

    def cascadeFetch(self) -> None:
        """Fetch all linked objects, the objects that these link to, and so on.

        Redis: as ``getMultiple``, one round trip a level of links and server.
        """
        self.objects._run(self._cascaded())

    @awaitable(cascadeFetch)
    async def acascadeFetch(self) -> None:
        await self.objects._arun(self._cascaded())

    def saveToExternal(self, params: Any) -> list[int]:
        """Save a copy of the object to another Redis, and return a list of its new pk.

        :param params: connection parameters, or a ``redis.Redis``; for the awaitable twin one of
            ``redis.asyncio``
        """
        pks: list[int] = executor_for(*_target(params), None, self).run(self._external())
        return pks

    @awaitable(saveToExternal)
    async def asaveToExternal(self, params: Any) -> list[int]:
        pks: list[int] = await async_executor_for(*_target(params), None, self).run(
            self._external()
        )
        return pks

    # The flows are imported at first use, as managers are.

    def _reloaded(self, cascade: bool) -> Flow[Changes]:
        from .._core.links.reloading import reload

        return reload(self, cascade)

    def _cascaded(self) -> Flow[None]:
        from .._core.links.fetching import cascade_fetch
        from ..managers.manager import server_of

        return cascade_fetch([self], server_of)

    def _external(self: Any) -> Flow[list[int]]:
        from .._core.links import saving

        return saving.save(type(self)._validated(), [self.copy()], [None])


def _target(params: Any) -> tuple[Any, Any]:
    """Return connection parameters and client; one of them is None."""
    return (params, None) if isinstance(params, Mapping) else (None, params)
