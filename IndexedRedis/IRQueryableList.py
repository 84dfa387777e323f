"""``IRQueryableList``: fetched objects, filtered and sorted further in this process.

The operators are those of the package QueryableList; here is what it does not know: nulls, and
that a part of a result is a result.
"""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable, Iterable
from typing import Any

import QueryableList

from .errors import ObjectGoneError, UsageError
from .fields.null import irNull
from .twins import awaitable

__all__ = ('IRQueryableList',)


def _is_null(value: Any) -> bool:
    return value is None or value is irNull


def _contains_any(value: Any, wanted: Iterable[Any]) -> bool:
    return any(item in value for item in wanted)


# Where QueryableList would ask a null and fail: what a null gives, and what other values do.
_NULL_SAFE: dict[str, tuple[bool, Callable[[Any, Any], bool]]] = {
    'lt': (False, operator.lt),
    'lte': (False, operator.le),
    'gt': (False, operator.gt),
    'gte': (False, operator.ge),
    'containsAny': (False, _contains_any),
    'notcontainsAny': (True, lambda value, wanted: not _contains_any(value, wanted)),
}

Test = Callable[[Any], bool]


class IRQueryableList(QueryableList.QueryableListObjs):
    """A list of objects of one model.

    :param val: the objects, or a single one
    :param mdl: their model; found out from the first object if not given
    :raises UsageError: if what should be a model is none
    """

    def __init__(self, val: Any = None, mdl: Any = None) -> None:
        if val is None:
            val = ()
        elif _is_object(val):
            val = (val,)
        if mdl is not None and not (isinstance(mdl, type) and getattr(mdl, '_is_ir_model', False)):
            raise UsageError(f'mdl={mdl!r} is no model.')
        super().__init__(val)
        self.mdl = mdl if mdl is not None else _model_of(self)

    def getModel(self) -> Any:
        """Return the model of the objects; None if the list is empty and it is unknown."""
        if self.mdl is None:
            self.mdl = _model_of(self)
        return self.mdl

    def save(self) -> list[int]:
        """Store all objects that are new or changed, or none; returns the pks.

        Those that are None, in place of objects that are gone, are passed over.
        """
        objs = self._objects()
        return self.getModel().saver.save(objs) if objs else []

    @awaitable(save)
    async def asave(self) -> list[int]:
        objs = self._objects()
        return await self.getModel().saver.asave(objs) if objs else []

    def delete(self) -> int:
        """Delete all objects; returns how many had a pk."""
        objs = self._objects()
        return self.getModel().deleter.deleteMultiple(objs) if objs else 0

    @awaitable(delete)
    async def adelete(self) -> int:
        objs = self._objects()
        return await self.getModel().deleter.adeleteMultiple(objs) if objs else 0

    def _objects(self) -> list[Any]:
        return [obj for obj in self if obj is not None]

    def reload(self) -> list[Any]:
        """Fetch the newest values into the objects.

        :returns: for each object ``{name: (local value, fetched value)}``, or the exception
        """
        return [_reloaded(obj) for obj in self]

    @awaitable(reload)
    async def areload(self) -> list[Any]:
        return [await _areloaded(obj) for obj in self]

    def refetch(self) -> IRQueryableList:
        """Return a new list of the objects as stored now; those gone are None."""
        return self.getModel().objects.getMultiple(self._pks()) if self else self._like()

    @awaitable(refetch)
    async def arefetch(self) -> IRQueryableList:
        return await self.getModel().objects.agetMultiple(self._pks()) if self else self._like()

    def _pks(self) -> list[int]:
        return [obj._id for obj in self if obj is not None and obj._id is not None]

    def pprint(self, stream: Any = None) -> None:
        """Print the objects as dicts.

        :param stream: a text file; None means the standard output
        """
        from pprint import pprint  # see IndexedRedisModel.pprint

        shown = [None if obj is None else obj.asDict(True, strKeys=True) for obj in self]
        pprint(shown, stream=stream)

    def filterAnd(self, **kwargs: Any) -> IRQueryableList:
        """Return the objects that pass all filters ``name__operator=value``.

        A null passes no ``lt``, ``lte``, ``gt``, ``gte``; ``isnull`` sees both irNull and None.
        """
        tests, others = self._split(kwargs)
        kept = super().filterAnd(**others)
        return self._like(obj for obj in kept if all(test(obj) for test in tests))

    filter = filterAnd

    def filterOr(self, **kwargs: Any) -> IRQueryableList:
        """Return the objects that pass at least one filter; see :meth:`filterAnd`."""
        tests, others = self._split(kwargs)
        passed = {id(obj) for obj in super().filterOr(**others)}
        return self._like(
            obj for obj in self if id(obj) in passed or any(test(obj) for test in tests)
        )

    def customFilter(self, filterFunc: Callable[[Any], Any]) -> IRQueryableList:
        """Return the objects for which ``filterFunc`` gives something true."""
        return self._like(obj for obj in self if filterFunc(obj))

    def sort_by(self, fieldName: str, reverse: bool = False) -> IRQueryableList:
        """Return the objects ordered by a field; nulls come first (last if ``reverse``)."""

        def key(obj: Any) -> tuple[bool, Any]:
            value = self._get_item_value(obj, fieldName)
            return (False, 0) if _is_null(value) else (True, value)

        return self._like(sorted(self, key=key, reverse=reverse))

    def all(self) -> IRQueryableList:
        """Return a copy of the list."""
        return self._like(self)

    def copy(self) -> IRQueryableList:
        """Return a copy of the list, of the same objects."""
        return self._like(self)

    def _like(self, objs: Iterable[Any] = ()) -> IRQueryableList:
        return type(self)(objs, mdl=self.mdl)

    def _split(self, filters: dict[str, Any]) -> tuple[list[Test], dict[str, Any]]:
        """Tests for the operators that must mind nulls; the others are left to QueryableList."""
        tests, others = [], {}
        for key, value in filters.items():
            test = self._null_aware_test(key, value)
            if test is None:
                others[key] = value
            else:
                tests.append(test)
        return tests, others

    def _null_aware_test(self, key: str, argument: Any) -> Test | None:
        name, _, kind = key.rpartition('__')
        if not name:
            return None
        get = self._get_item_value
        if kind == 'isnull':
            if not isinstance(argument, bool):
                raise UsageError(f'{key} takes True or False, not {argument!r}.')
            return lambda obj: _is_null(get(obj, name)) is argument
        if kind not in _NULL_SAFE:
            return None
        of_null, compare = _NULL_SAFE[kind]

        def passes(obj: Any) -> bool:
            value = get(obj, name)
            return of_null if _is_null(value) else compare(value, argument)

        return passes

    def __getitem__(self, index: Any) -> Any:
        found = list.__getitem__(self, index)
        return self._like(found) if isinstance(index, slice) else found

    def __add__(self, other: Iterable[Any]) -> IRQueryableList:
        return self._like([*self, *other])

    def __sub__(self, other: Iterable[Any]) -> IRQueryableList:
        unwanted = list(other)
        return self._like(obj for obj in self if obj not in unwanted)

    def __and__(self, other: Iterable[Any]) -> IRQueryableList:
        wanted = list(other)
        return self._like(obj for obj in self if obj in wanted)

    def __or__(self, other: Iterable[Any]) -> IRQueryableList:
        return self._like([*self, *(obj for obj in other if obj not in self)])

    def __xor__(self, other: Iterable[Any]) -> IRQueryableList:
        others = list(other)
        mine = [obj for obj in self if obj not in others]
        return self._like([*mine, *(obj for obj in others if obj not in self)])

    def __mul__(self, times: Any) -> IRQueryableList:
        return self._like(list.__mul__(self, times))

    __rmul__ = __mul__

    def _replace_by(self, objs: Iterable[Any]) -> IRQueryableList:
        self[:] = list(objs)
        return self

    def __isub__(self, other: Iterable[Any]) -> IRQueryableList:
        return self._replace_by(self - other)

    def __iand__(self, other: Iterable[Any]) -> IRQueryableList:
        return self._replace_by(self & other)

    def __ior__(self, other: Iterable[Any]) -> IRQueryableList:
        return self._replace_by(self | other)

    def __ixor__(self, other: Iterable[Any]) -> IRQueryableList:
        return self._replace_by(self ^ other)

    def __copy__(self) -> IRQueryableList:
        return self._like(self)

    def __deepcopy__(self, memo: Any) -> IRQueryableList:
        return self._like(copy.deepcopy(list(self), memo))

    def __reduce__(self) -> Any:
        return type(self), (list(self), self.mdl)


def _is_object(value: Any) -> bool:
    return bool(getattr(type(value), '_is_ir_model', False))


def _model_of(objs: Iterable[Any]) -> Any:
    first = next((obj for obj in objs if obj is not None), None)
    if first is None:
        return None
    if not _is_object(first):
        raise UsageError(f'IRQueryableList holds objects of a model, not {first!r}.')
    return type(first)


_NOTHING = 'There is no object in this place of the list to reload.'


def _reloaded(obj: Any) -> Any:
    try:
        return ObjectGoneError(_NOTHING) if obj is None else obj.reload()
    except Exception as exc:
        return exc


async def _areloaded(obj: Any) -> Any:
    try:
        return ObjectGoneError(_NOTHING) if obj is None else await obj.areload()
    except Exception as exc:
        return exc
