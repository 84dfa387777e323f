"""The types of a field, as the text of a stub.

The rule: modules are imported under names that no attribute of a class hides.
"""

from __future__ import annotations

import builtins
from collections.abc import Container
from typing import Any

from .. import fields
from ..fields.foreign import IRForeignLinkFieldBase

__all__ = ('Types',)

_LIBRARY = 'IndexedRedis'
# The field types with the type of their values in brackets.
_GENERIC = (fields.IRField, fields.IREnumField, fields.IRFieldChain)


class Types:
    """The types that a stub names.

    :param home: the module of the stub, whose classes need no import
    :param hidden: names of attributes, which hide builtins of the same name
    """

    def __init__(self, home: str, hidden: Container[str] = ()) -> None:
        self._home, self._hidden = home, hidden
        self._modules: set[str] = set()

    def imports(self) -> list[str]:
        """Return the lines that import what the types name."""
        return [f'import {each} as {_alias(each)}' for each in sorted(self._modules)]

    def attribute(self, field: Any) -> str:
        """Return what an attribute of the class is: ``IRField[int]``."""
        cls = type(field)
        if isinstance(field, IRForeignLinkFieldBase):
            brackets = [self.of_class(field.foreignModel)]
        elif cls in _GENERIC:
            brackets = [self.of_class(field.valueClass)]
        else:
            brackets = []
        if not field.nullable:
            brackets += [self._named('typing', 'Never')] * 2
        return self.of_class(cls) + (f'[{", ".join(brackets)}]' if brackets else '')

    def parameter(self, field: Any) -> str:
        """Return what the constructor takes for a field."""
        null = f' | {self.of_class(fields.IRNullType)} | None' if field.nullable else ''
        if not isinstance(field, IRForeignLinkFieldBase):
            return self.of_class(field.valueClass) + null
        target = f'{self.of_class(field.foreignModel)} | {self.of_class(int)}'
        if field.isMulti():
            self._modules.add('collections.abc')
            target = f'{_alias("collections.abc")}.Sequence[{target}]'
        return target + null

    def pk(self, field: Any) -> str:
        """Return what ``link__id`` is."""
        pk = self.of_class(int)
        pks = f'{self.of_class(list)}[{pk}]' if field.isMulti() else pk
        return f'{pks} | {self.of_class(fields.IRNullType)}' if field.nullable else pks

    def of_class(self, cls: Any) -> str:
        """Return the name of a class."""
        if cls is Any or '<locals>' in cls.__qualname__:
            return self._named('typing', 'Any')
        if cls.__module__ == 'builtins':
            if not hasattr(builtins, cls.__name__):
                return self._named('typing', 'Any')
            hidden = cls.__name__ in self._hidden
            return self._named('builtins', cls.__name__) if hidden else str(cls.__name__)
        if cls.__module__ == self._home:
            return str(cls.__qualname__)
        if cls.__name__ in fields.__all__ and cls is getattr(fields, cls.__name__):
            return self._named(f'{_LIBRARY}.fields', cls.__name__)
        return self._named(cls.__module__, cls.__qualname__)

    def _named(self, module: str, name: str) -> str:
        self._modules.add(module)
        return f'{_alias(module)}.{name}'


def _alias(module: str) -> str:
    return f'_{module.replace(".", "_")}'
