"""``IRQueryableList``: a list of fetched objects, with filters and sorting in this process.

The package QueryableList provides the operators. This class adds null handling, and returns lists
of its own class.
"""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

import QueryableList

from ._core.column import SEVERAL
from ._core.objects.unknown_names import check_read
from .errors import ObjectGoneError, UsageError
from .fields.null import irNull
from .generics import T
from .twins import awaitable

__all__ = ('IRQueryableList',)


def _is_null(value: Any) -> bool:
    return value is None or value is irNull


def _contains_any(value: Any, wanted: Iterable[Any]) -> bool:
    return any(item in value for item in wanted)


# Operators that fail on null in QueryableList: the result for null, and the test of other values.
_NULL_SAFE: dict[str, tuple[bool, Callable[[Any, Any], bool]]] = {
    'lt': (False, operator.lt),
    'lte': (False, operator.le),
    'gt': (False, operator.gt),
    'gte': (False, operator.ge),
    'containsAny': (False, _contains_any),
    'notcontainsAny': (True, lambda value, wanted: not _contains_any(value, wanted)),
}

Test = Callable[[Any], bool]


if TYPE_CHECKING:

    class _Base(list[T]):
        """What type checkers see of the untyped package."""

        def __init__(self, values: Iterable[T] = ...) -> None: ...
        def filterAnd(self, **kwargs: Any) -> list[T]: ...
        def filterOr(self, **kwargs: Any) -> list[T]: ...
        def _get_item_value(self, item: Any, name: str) -> Any: ...

else:
    _Base = QueryableList.QueryableListObjs


class IRQueryableList(_Base[T]):
    """A list of objects of one model.

    :param val: the objects, or a single object
    :param mdl: their model; None means that of the first object
    :raises UsageError: if ``mdl`` is not a model, or the first item is not an object of a model
    """

    def __init__(self, val: Any = None, mdl: Any = None) -> None:
        if val is None:
            val = ()
        elif _is_object(val):
            val = (val,)
        if mdl is not None and not (isinstance(mdl, type) and getattr(mdl, '_is_ir_model', False)):
            raise UsageError(f'mdl is not a model, but {mdl!r}. Give the model of the objects.')
        super().__init__(val)
        self.mdl = mdl if mdl is not None else _model_of(self)

    def getModel(self) -> Any:
        """Return the model of the objects; None if the list is empty and was given none."""
        if self.mdl is None:
            self.mdl = _model_of(self)
        return self.mdl

    def save(self) -> list[int]:
        """Store the objects that are new or changed, all or none. Return the pks of all objects.

        Items that are None are skipped. See :meth:`IndexedRedisSave.save`.
        """
        objs = self._objects()
        return self.getModel().saver.save(objs) if objs else []

    @awaitable(save)
    async def asave(self) -> list[int]:
        objs = self._objects()
        return await self.getModel().saver.asave(objs) if objs else []

    def delete(self) -> int:
        """Delete the objects, all or none. Return the number of those that have a pk."""
        objs = self._objects()
        return self.getModel().deleter.deleteMultiple(objs) if objs else 0

    @awaitable(delete)
    async def adelete(self) -> int:
        objs = self._objects()
        return await self.getModel().deleter.adeleteMultiple(objs) if objs else 0

    def _objects(self) -> list[Any]:
        return [obj for obj in self if obj is not None]

    def reload(self) -> list[Any]:
        """Fetch the stored values into the objects, one after the other.

        :returns: for each object ``{name: (local value, fetched value)}`` of the fields that
            differed, or the exception that its reload raised
        """
        return [_reloaded(obj) for obj in self]

    @awaitable(reload)
    async def areload(self) -> list[Any]:
        return [await _areloaded(obj) for obj in self]

    def refetch(self) -> IRQueryableList[T]:
        """Return a new list of the objects as they are stored; None for each that is not."""
        return self.getModel().objects.getMultiple(self._pks()) if self else self._like()

    @awaitable(refetch)
    async def arefetch(self) -> IRQueryableList[T]:
        return await self.getModel().objects.agetMultiple(self._pks()) if self else self._like()

    def _pks(self) -> list[int]:
        objs: Iterable[Any] = self
        return [obj._id for obj in objs if obj is not None and obj._id is not None]

    def pprint(self, stream: Any = None) -> None:
        """Print the objects as dicts.

        :param stream: a text file; None means the standard output
        """
        from pprint import pprint  # a fifth of the import time

        pprint(self.asDicts(includeMeta=True, nullAs=irNull), stream=stream)

    def asDicts(
        self, includeMeta: bool = False, strKeys: bool = True, nullAs: Any = None
    ) -> list[dict[Any, Any] | None]:
        """Return each object as a dict of its fields; None for an item that is None.

        See :meth:`IndexedRedisModel.asDict` for the parameters.
        """
        how = {'includeMeta': includeMeta, 'strKeys': strKeys, 'nullAs': nullAs}
        objs: Iterable[Any] = self
        return [None if obj is None else obj.asDict(**how) for obj in objs]

    def filterAnd(self, **kwargs: Any) -> IRQueryableList[T]:
        """Return the objects that match all filters ``name__operator=value``.

        Null never matches ``lt``, ``lte``, ``gt`` and ``gte``. ``isnull`` means irNull and None.

        :param kwargs: filters, with the operators of QueryableList. A name that no object has as
            an attribute means None; a warning says so.
        :raises UsageError: if ``isnull`` is given anything but True or False
        :raises FieldValueError: if a field is compared with a list that it cannot hold
        """
        tests, others = self._split(kwargs)
        kept = super().filterAnd(**others)
        return self._like(obj for obj in kept if all(test(obj) for test in tests))

    filter = filterAnd

    def filterOr(self, **kwargs: Any) -> IRQueryableList[T]:
        """Return the objects that match at least one filter; see :meth:`filterAnd`."""
        tests, others = self._split(kwargs)
        passed = {id(obj) for obj in super().filterOr(**others)}
        return self._like(
            obj for obj in self if id(obj) in passed or any(test(obj) for test in tests)
        )

    def customFilter(self, filterFunc: Callable[[Any], Any]) -> IRQueryableList[T]:
        """Return the objects for which ``filterFunc`` returns a true value."""
        return self._like(obj for obj in self if filterFunc(obj))

    def sort_by(self, fieldName: str, reverse: bool = False) -> IRQueryableList[T]:
        """Return the objects sorted by a field; nulls come first.

        :param fieldName: name of the field. One that no object has as an attribute means None; a
            warning says so.
        :param reverse: sort in descending order, nulls last
        """
        if self and fieldName not in self.getModel()._validated().columns:
            check_read(self.getModel(), fieldName, self)

        def key(obj: Any) -> tuple[bool, Any]:
            value = self._get_item_value(obj, fieldName)
            return (False, 0) if _is_null(value) else (True, value)

        return self._like(sorted(self, key=key, reverse=reverse))

    def all(self) -> IRQueryableList[T]:
        """Return a copy of the list, with the same objects."""
        return self._like(self)

    def copy(self) -> IRQueryableList[T]:
        """Return a copy of the list, with the same objects."""
        return self._like(self)

    def _like(self, objs: Iterable[Any] = ()) -> IRQueryableList[T]:
        return type(self)(objs, mdl=self.mdl)

    def _split(self, filters: dict[str, Any]) -> tuple[list[Test], dict[str, Any]]:
        """Return tests for the operators of ``_NULL_SAFE``, and the other filters."""
        tests, others = [], {}
        for key, value in filters.items():
            self._check(key, value)
            test = self._null_aware_test(key, value)
            if test is None:
                others[key] = value
            else:
                tests.append(test)
        return tests, others

    def _check(self, key: str, value: Any) -> None:
        """Check that a filter compares an attribute with what it can be."""
        if not self:
            return
        model = self.getModel()
        name, _, kind = key.rpartition('__')
        if not name or not kind:
            name, kind = key, 'eq'
        column = model._validated().columns.get(name)
        if column is None:
            check_read(model, name, self)
        elif kind in ('eq', 'ne') and isinstance(value, SEVERAL):
            column.from_filter(value)

    def _null_aware_test(self, key: str, argument: Any) -> Test | None:
        name, _, kind = key.rpartition('__')
        if not name:
            return None
        get = self._get_item_value
        if kind == 'isnull':
            if not isinstance(argument, bool):
                raise UsageError(f'{key} is {argument!r}. Give True or False.')
            return lambda obj: _is_null(get(obj, name)) is argument
        if kind not in _NULL_SAFE:
            return None
        of_null, compare = _NULL_SAFE[kind]

        def passes(obj: Any) -> bool:
            value = get(obj, name)
            return of_null if _is_null(value) else compare(value, argument)

        return passes

    @overload
    def __getitem__(self, index: SupportsIndex) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> IRQueryableList[T]: ...

    def __getitem__(self, index: Any) -> Any:
        found = list.__getitem__(self, index)
        return self._like(found) if isinstance(index, slice) else found

    def __add__(self, other: Iterable[Any]) -> IRQueryableList[T]:  # type: ignore[override]
        return self._like([*self, *other])

    def __sub__(self, other: Iterable[Any]) -> IRQueryableList[T]:
        unwanted = list(other)
        return self._like(obj for obj in self if obj not in unwanted)

    def __and__(self, other: Iterable[Any]) -> IRQueryableList[T]:
        wanted = list(other)
        return self._like(obj for obj in self if obj in wanted)

    def __or__(self, other: Iterable[Any]) -> IRQueryableList[T]:
        return self._like([*self, *(obj for obj in other if obj not in self)])

    def __xor__(self, other: Iterable[Any]) -> IRQueryableList[T]:
        others = list(other)
        mine = [obj for obj in self if obj not in others]
        return self._like([*mine, *(obj for obj in others if obj not in self)])

    def __mul__(self, times: Any) -> IRQueryableList[T]:
        return self._like(list.__mul__(self, times))

    __rmul__ = __mul__

    def _replace_by(self, objs: Iterable[Any]) -> IRQueryableList[T]:
        self[:] = list(objs)
        return self

    def __isub__(self, other: Iterable[Any]) -> IRQueryableList[T]:
        return self._replace_by(self - other)

    def __iand__(self, other: Iterable[Any]) -> IRQueryableList[T]:
        return self._replace_by(self & other)

    def __ior__(self, other: Iterable[Any]) -> IRQueryableList[T]:
        return self._replace_by(self | other)

    def __ixor__(self, other: Iterable[Any]) -> IRQueryableList[T]:
        return self._replace_by(self ^ other)

    def __copy__(self) -> IRQueryableList[T]:
        return self._like(self)

    def __deepcopy__(self, memo: Any) -> IRQueryableList[T]:
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
        raise UsageError(f'IRQueryableList holds objects of a model, not {first!r}. Use a list.')
    return type(first)


_NO_OBJECT = 'This item of the list is None. Reload lists of objects only.'


def _reloaded(obj: Any) -> Any:
    try:
        return ObjectGoneError(_NO_OBJECT) if obj is None else obj.reload()
    except Exception as exc:
        return exc


async def _areloaded(obj: Any) -> Any:
    try:
        return ObjectGoneError(_NO_OBJECT) if obj is None else await obj.areload()
    except Exception as exc:
        return exc
