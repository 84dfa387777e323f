"""Deleting objects by themselves, by pk, or all of a model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._core.bulk import delete
from .._core.flows import Flow
from .._core.locking.locks import new_token
from ..fields.base.primary_keys import primary_key
from ..twins import awaitable
from .arguments import refuse_pipeline
from .manager import IndexedRedisHelper

__all__ = ('IndexedRedisDelete',)


class IndexedRedisDelete(IndexedRedisHelper):
    """Deletes objects of a model. Get one as ``Model.deleter``.

    Redis: one script for all objects of a call; what has to leave the indexes is taken from what is
    stored, whatever the caller remembers.
    """

    def deleteOne(self, obj: Any, conn: Any = None) -> int:
        """Delete an object; returns 1, or 0 if it has no pk. Deleting twice is no error.

        :param conn: of 6.0.3; a pipeline of the caller is refused, since a delete has to see the
            answer
        """
        return self._run(self._delete([obj], conn))

    @awaitable(deleteOne)
    async def adeleteOne(self, obj: Any, conn: Any = None) -> int:
        return await self._arun(self._delete([obj], conn))

    def deleteByPk(self, pk: Any) -> int:
        """Delete the object of a pk; returns 1, or 0 if there was none."""
        return self._run(self._delete_pks([pk]))

    @awaitable(deleteByPk)
    async def adeleteByPk(self, pk: Any) -> int:
        return await self._arun(self._delete_pks([pk]))

    def deleteMultiple(self, objs: Iterable[Any]) -> int:
        """Delete objects, all or none; returns how many had a pk."""
        return self._run(self._delete(objs))

    @awaitable(deleteMultiple)
    async def adeleteMultiple(self, objs: Iterable[Any]) -> int:
        return await self._arun(self._delete(objs))

    def deleteMultipleByPks(self, pks: Iterable[Any]) -> int:
        """Delete the objects of several pks, all or none; returns how many there were."""
        return self._run(self._delete_pks(pks))

    @awaitable(deleteMultipleByPks)
    async def adeleteMultipleByPks(self, pks: Iterable[Any]) -> int:
        return await self._arun(self._delete_pks(pks))

    def destroyModel(self) -> int:
        """Remove every key of the model, the pk counter too; returns how many there were.

        What other processes store meanwhile is stored whole, and stays, with the counter.

        :raises ResetInProgressError: if a reset of the model does not end within 15 s

        Redis: a script takes the sets away; ``SCAN`` over all names, in bounded steps, the rest.
        """
        return self._run(self._destroy())

    @awaitable(destroyModel)
    async def adestroyModel(self) -> int:
        return await self._arun(self._destroy())

    def _destroy(self) -> Flow[int]:
        from .._core.resets import destroy  # as other tools, only for those who use it

        return destroy.destroy(self._schema, new_token())

    def _delete(self, objs: Iterable[Any], conn: Any = None) -> Flow[int]:
        refuse_pipeline(True, conn)
        return delete.delete_objects(self._schema, list(objs))

    def _delete_pks(self, pks: Iterable[Any]) -> Flow[int]:
        return delete.delete_pks(self._schema, [primary_key(pk) for pk in pks])
