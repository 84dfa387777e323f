"""How attributes of objects are read and assigned.

Reading: values sit in the instance's ``__dict__``, so a read is a plain attribute read. The
descriptors here have no ``__set__`` (but for ``link__id``), so Python asks them only where the
instance has no value yet: they decode the stored bytes, or fetch the linked object, put it there,
and are not asked again.
"""

from __future__ import annotations

from typing import Any

from ...fields.null import irNull
from ..column import Column
from .state import PENDING, UNKNOWN, State, own_state, value_of

__all__ = ('FieldAccessor', 'LinkAccessor', 'LinkIdAccessor', 'assign')


class FieldAccessor:
    """Decodes a field at its first touch.

    :param column: the field
    """

    def __init__(self, column: Column) -> None:
        self.column = column

    def __get__(self, obj: Any, owner: Any = None) -> Any:
        return self if obj is None else self._value(obj)

    def _value(self, obj: Any) -> Any:
        column = self.column
        if column.name not in type(obj)._schema.columns:
            # Left behind on the class, or a base, by another definition.
            raise AttributeError(f'{type(obj).__name__} has no field {column.name!r}')
        return value_of(obj, column)


class LinkAccessor(FieldAccessor):
    """Gives the object that a field links to, fetching it at the first touch.

    The list of a multi link is a new one at each read: changing it changes nothing.
    """

    def __get__(self, obj: Any, owner: Any = None) -> Any:
        if obj is None:
            return self
        data = self._value(obj)
        if data is irNull:
            return irNull
        target = data.getObj()
        if target is not None and not self.column.field.isMulti():
            obj.__dict__[self.column.name] = target
        return target


class LinkIdAccessor(FieldAccessor):
    """``obj.link__id``: the pk that a field links to (of a multi link: the list of pks).

    Never fetches. Assigning it links to another pk.
    """

    def __get__(self, obj: Any, owner: Any = None) -> Any:
        if obj is None:
            return self
        data = self._value(obj)
        return irNull if data is irNull else data.getPk()

    def __set__(self, obj: Any, value: Any) -> None:
        assign(obj, self.column, value)


def assign(obj: Any, column: Column, value: Any) -> None:
    """Convert ``value`` and make it the attribute's, noting the old one.

    :raises FieldValueError: if the field cannot hold it; the attribute keeps its value
    """
    converted = column.from_input(value)
    state = own_state(obj)
    if column.name not in state.changed:
        _note_old(obj, column, state)
    if column.is_link:
        obj.__dict__.pop(column.name, None)
    obj.__dict__[column.slot] = converted


def _note_old(obj: Any, column: Column, state: State) -> None:
    name = column.name
    if state.fetched is not None and name not in state.fetched:
        state.changed[name] = UNKNOWN
    elif column.immutable or not state.stored:
        state.changed[name] = obj.__dict__.get(column.slot, PENDING)
