"""The descriptors of managers: ``Model.objects``, ``Model.saver`` and ``Model.deleter``.

A class each, since type checkers cannot be told of a manager that it is one of the model.
"""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, overload

from ..generics import M

if TYPE_CHECKING:
    from ..managers.deleter import IndexedRedisDelete
    from ..managers.manager import IndexedRedisHelper
    from ..managers.query.query import IndexedRedisQuery
    from ..managers.saver import IndexedRedisSave

__all__ = ('DeleterOf', 'QueryOf', 'SaverOf')


class _ManagerOf:
    """Each access, on the model or an object, returns a new manager.

    What managers import takes as long as all that models need, so it is imported at first use.

    :param module: the module of ``managers`` with the class
    :param name: the name of the class
    """

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = module, name

    def __get__(self, obj: Any, owner: Any) -> Any:
        owner._validated()
        return self._helper(owner, obj)

    @cached_property
    def _helper(self) -> type[IndexedRedisHelper[Any]]:
        module = import_module(f'..managers.{self._module}', __package__)
        helper: type[IndexedRedisHelper[Any]] = getattr(module, self._name)
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
