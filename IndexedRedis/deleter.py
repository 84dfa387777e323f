"""Deleting objects by themselves, by pk, or all of a model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ._core import delete, maintain
from .helper import IndexedRedisHelper, primary_key, refuse_pipeline

__all__ = ('IndexedRedisDelete',)


class IndexedRedisDelete(IndexedRedisHelper):
    """Deletes objects of a model. Get one as ``Model.deleter``.

    Redis: one script for each 250 objects; what has to leave the indexes is taken from what is
    stored, whatever the caller remembers.
    """

    def deleteOne(self, obj: Any, conn: Any = None) -> int:
        """Delete an object; returns 1, or 0 if it has no pk. Deleting twice is no error.

        :param conn: of 6.0.3; a pipeline of the caller is refused, since a delete has to see the
            answer
        """
        refuse_pipeline(True, conn)
        return self.deleteMultiple([obj])

    def deleteByPk(self, pk: Any) -> int:
        """Delete the object of a pk; returns 1, or 0 if there was none."""
        return self.deleteMultipleByPks([pk])

    def deleteMultiple(self, objs: Iterable[Any]) -> int:
        """Delete objects; returns how many had a pk."""
        return self._run(delete.delete_objects(self._schema, list(objs)))

    def deleteMultipleByPks(self, pks: Iterable[Any]) -> int:
        """Delete the objects of several pks; returns how many there were."""
        return self._run(delete.delete_pks(self._schema, [primary_key(pk) for pk in pks]))

    def destroyModel(self) -> int:
        """Remove every key of the model, the pk counter too; returns how many there were.

        Redis: ``SCAN`` over all names in bounded steps, ``UNLINK`` of this model's own keys.
        """
        return self._run(maintain.destroy(self._schema))
