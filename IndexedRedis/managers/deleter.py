"""The deleter: it deletes objects of a model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._core.flows import Flow
from .._core.locking.locks import new_token
from .._core.partitions import writing
from ..fields.base.primary_keys import primary_key
from ..generics import M
from ..twins import awaitable
from .arguments import refuse_pipeline
from .manager import IndexedRedisHelper

__all__ = ('IndexedRedisDelete',)


class IndexedRedisDelete(IndexedRedisHelper[M]):
    """Deletes objects of a model. Get one as ``Model.deleter``.

    The stored values, not those in memory, determine the index entries to remove.

    Redis: one script of ``SREM``, ``ZREM`` and ``UNLINK``, which compares the stored values. It is
    sent again if they are not the expected ones, and always for a pk alone. A list of more than
    some hundred objects goes in steps of a few milliseconds under the model's lock. Of a model with
    ``PARTITIONS``, the objects of one partition are deleted all or none.
    """

    def deleteOne(self, obj: M, conn: Any = None) -> int:
        """Delete an object. Return 1, or 0 if it has no pk. Its pk is None afterwards.

        An object that is no longer stored counts as deleted.

        :param conn: an argument of 6.0.3; only None is accepted
        :raises UsageError: if ``obj`` is not an object of the model
        """
        return self._run(self._delete([obj], conn))

    @awaitable(deleteOne)
    async def adeleteOne(self, obj: M, conn: Any = None) -> int:
        return await self._arun(self._delete([obj], conn))

    def deleteByPk(self, pk: Any) -> int:
        """Delete the object of a pk. Return 1, or 0 if there is none.

        :raises UsageError: if ``pk`` is not a whole number, or its digits
        """
        return self._run(self._delete_pks([pk]))

    @awaitable(deleteByPk)
    async def adeleteByPk(self, pk: Any) -> int:
        return await self._arun(self._delete_pks([pk]))

    def deleteMultiple(self, objs: Iterable[M]) -> int:
        """Delete objects, all or none. Return the number of those that have a pk.

        :raises UsageError: if one is not an object of the model
        :raises ResetInProgressError: if another long write of the model does not end within 15 s
        """
        return self._run(self._delete(objs))

    @awaitable(deleteMultiple)
    async def adeleteMultiple(self, objs: Iterable[M]) -> int:
        return await self._arun(self._delete(objs))

    def deleteMultipleByPks(self, pks: Iterable[Any]) -> int:
        """Delete the objects of several pks, all or none. Return the number of deleted objects.

        :raises UsageError: if a pk is not a whole number, or its digits
        :raises ResetInProgressError: if another long write of the model does not end within 15 s
        """
        return self._run(self._delete_pks(pks))

    @awaitable(deleteMultipleByPks)
    async def adeleteMultipleByPks(self, pks: Iterable[Any]) -> int:
        return await self._arun(self._delete_pks(pks))

    def destroyModel(self) -> int:
        """Remove the keys of the model. Return the number of removed keys.

        The pk counter, its record of incarnations and the notes of saves stay, so that no pk is
        used twice: old objects in memory, and links, lead to nothing rather than to new objects.
        Objects that other processes store meanwhile are whole and stay.

        :raises ResetInProgressError: if another long write of the model does not end within 15 s
        :raises ResetLostError: if the lock is lost; then some keys may be left

        Redis: ``SCAN`` over all names, twice. In between one script removes ``:keys`` and the large
        index sets; then further ones remove up to about 1,000 keys each. Of a model with partitions
        the pointer and the fences stay too.
        """
        return self._run(self._destroy())

    @awaitable(destroyModel)
    async def adestroyModel(self) -> int:
        return await self._arun(self._destroy())

    def _destroy(self) -> Flow[int]:
        schema = self._schema
        if schema.partitions:
            from .._core.resets.editions.destroy import destroy_editions

            return destroy_editions(schema, new_token())
        from .._core.resets import destroy  # only programs that call it pay for its import

        return destroy.destroy(schema, new_token())

    def _delete(self, objs: Iterable[Any], conn: Any = None) -> Flow[int]:
        refuse_pipeline(True, conn)
        return writing.delete_objects(self._schema, list(objs))

    def _delete_pks(self, pks: Iterable[Any]) -> Flow[int]:
        return writing.delete_pks(self._schema, [primary_key(pk) for pk in pks])
