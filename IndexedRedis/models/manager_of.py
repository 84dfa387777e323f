"""The descriptors of managers: ``Model.objects``, ``Model.saver`` and ``Model.deleter``.

A class each, since type checkers cannot be told of a manager that it is one of the model.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

from .. import managers
from ..generics import M

if TYPE_CHECKING:
    from ..managers.deleter import IndexedRedisDelete
    from ..managers.manager import IndexedRedisHelper
    from ..managers.query.query import IndexedRedisQuery
    from ..managers.saver import IndexedRedisSave

__all__ = ('DeleterOf', 'QueryOf', 'SaverOf')


class _ManagerOf:
    """Each access, on the model or an object, returns a new manager.

    :param name: the name of its class, which is imported at the first access
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, obj: Any, owner: Any) -> Any:
        owner._validated()
        return self._helper(owner, obj)

    @cached_property
    def _helper(self) -> type[IndexedRedisHelper[Any]]:
        helper: type[IndexedRedisHelper[Any]] = getattr(managers, self._name)
        return helper


if TYPE_CHECKING:

    class QueryOf(_ManagerOf):
        @overload
        def __get__(self, obj: None, owner: type[M]) -> IndexedRedisQuery[M]: ...

        @overload
        def __get__(self, obj: M, owner: Any) -> IndexedRedisQuery[M]: ...

        def __get__(self, obj: Any, owner: Any) -> Any: ...

    class SaverOf(_ManagerOf):
        @overload
        def __get__(self, obj: None, owner: type[M]) -> IndexedRedisSave[M]: ...

        @overload
        def __get__(self, obj: M, owner: Any) -> IndexedRedisSave[M]: ...

        def __get__(self, obj: Any, owner: Any) -> Any: ...

    class DeleterOf(_ManagerOf):
        @overload
        def __get__(self, obj: None, owner: type[M]) -> IndexedRedisDelete[M]: ...

        @overload
        def __get__(self, obj: M, owner: Any) -> IndexedRedisDelete[M]: ...

        def __get__(self, obj: Any, owner: Any) -> Any: ...

else:
    QueryOf = SaverOf = DeleterOf = _ManagerOf
