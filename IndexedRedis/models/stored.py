"""What an object does with its stored form; each method has its awaitable twin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .._core.flows import Flow
from .._core.links import fetching, reloading, saving
from ..connections.tasks import async_executor_for
from ..connections.threads import executor_for
from ..managers.deleter import IndexedRedisDelete
from ..managers.manager import async_executor_of, executor_of, server_of
from ..managers.query import IndexedRedisQuery
from ..managers.saver import IndexedRedisSave
from ..twins import awaitable
from .definition import Manager

__all__ = ('Stored',)

Changes = dict[str, tuple[Any, Any]]


class Stored:
    """An object that has a stored form."""

    REDIS_CONNECTION_PARAMS: Any = {}
    _connection: Any = None

    objects = Manager(IndexedRedisQuery)
    saver = Manager(IndexedRedisSave)
    deleter = Manager(IndexedRedisDelete)

    @classmethod
    def reset(cls, objs: Iterable[Any]) -> list[int]:
        """Replace all stored objects of the model by ``objs``, in one moment.

        Readers see the old data set or the new one, never a mixture, and do not wait. Objects
        without a pk get fresh ones in the order of the list; others keep theirs. Objects that were
        replaced cannot be saved any more.

        :param objs: the new data set. Of an iterator, such as a generator, at most some thousand
            objects are in memory at a time.
        :returns: their pks, in order
        :raises ResetInProgressError: if another reset of the model does not end within 15 s
        :raises FieldValueError: if a value cannot be stored; nothing is replaced then

        Redis: rows and sets are staged in overlapping chunks; one script swaps the sets.
        """
        pks: list[int] = cls.objects.reset(objs)
        return pks

    @classmethod
    @awaitable(reset)
    async def areset(cls, objs: Iterable[Any]) -> list[int]:
        pks: list[int] = await cls.objects.areset(objs)
        return pks

    def save(self, cascadeSave: bool = True) -> list[int]:
        """Store the object; returns a list of its pk. See :meth:`IndexedRedisSave.save`."""
        pks: list[int] = self.saver.save(self, cascadeSave=cascadeSave)
        return pks

    @awaitable(save)
    async def asave(self, cascadeSave: bool = True) -> list[int]:
        pks: list[int] = await self.saver.asave(self, cascadeSave=cascadeSave)
        return pks

    def delete(self) -> int:
        """Delete the stored object; returns 1, or 0 if it has no pk. The pk is None then."""
        count: int = self.deleter.deleteOne(self)
        return count

    @awaitable(delete)
    async def adelete(self) -> int:
        count: int = await self.deleter.adeleteOne(self)
        return count

    def reload(self, cascadeObjects: bool = True) -> Changes:
        """Fetch the newest values into this object, over local changes.

        :param cascadeObjects: into linked objects that are here as well
        :returns: ``{name: (local value, fetched value)}`` of the fields that differed
        :raises ObjectGoneError: a ``KeyError``, if never saved or not stored any more

        Redis: ``SMISMEMBER`` and ``HMGET`` in one trip.
        """
        changes: Changes = executor_of(self).run(reloading.reload(self, cascadeObjects))
        return changes

    @awaitable(reload)
    async def areload(self, cascadeObjects: bool = True) -> Changes:
        changes: Changes = await async_executor_of(self).run(reloading.reload(self, cascadeObjects))
        return changes

    def cascadeFetch(self) -> None:
        """Fetch all linked objects, and those that they link to, and so on.

        Redis: as ``getMultiple``, one trip for each level of links and server.
        """
        executor_of(self).run(fetching.cascade_fetch([self], server_of))

    @awaitable(cascadeFetch)
    async def acascadeFetch(self) -> None:
        await async_executor_of(self).run(fetching.cascade_fetch([self], server_of))

    def saveToExternal(self, params: Any) -> list[int]:
        """Save a copy of the object into another Redis, under a new pk of there.

        :param params: connection parameters, or a ``redis.Redis`` (awaited: of ``redis.asyncio``)
        :returns: a list of the new pk
        """
        pks: list[int] = executor_for(*_target(params)).run(self._external())
        return pks

    @awaitable(saveToExternal)
    async def asaveToExternal(self, params: Any) -> list[int]:
        pks: list[int] = await async_executor_for(*_target(params)).run(self._external())
        return pks

    def _external(self: Any) -> Flow[list[int]]:
        return saving.save(type(self)._validated(), [self.copy()], [None])


def _target(params: Any) -> tuple[Any, Any]:
    """Connection parameters and client: one of them is given."""
    return (params, None) if isinstance(params, Mapping) else (None, params)
