"""The attributes of objects: descriptors that decode a value, or fetch a linked object, once.

Values stand in the instance's ``__dict__``. The descriptors have no ``__set__`` (but ``link__id``
has), so Python calls them only while the instance has no value. After that, a read is a plain
attribute read.
"""

from __future__ import annotations

from typing import Any

from ...fields.null import irNull
from ..column import Column
from .state import PENDING, UNKNOWN, State, own_state, value_of

__all__ = ('FieldAccessor', 'LinkAccessor', 'LinkIdAccessor', 'assign')


class FieldAccessor:
    """Decodes a field at the first read; of the class it is the field itself.

    :param column: the field
    """

    def __init__(self, column: Column) -> None:
        self.column = column

    def __get__(self, obj: Any, owner: Any = None) -> Any:
        return self.column.field if obj is None else self._value(obj)

    def _value(self, obj: Any) -> Any:
        column = self.column
        if column.name not in type(obj)._schema.columns:
            # An earlier definition of the class, or of a base, had this field.
            raise AttributeError(f'{type(obj).__name__} has no field {column.name!r}')
        return value_of(obj, column)


class LinkAccessor(FieldAccessor):
    """Returns the linked object, and fetches it at the first read.

    Each read of a multi link returns a new list, so changes of that list change nothing.
    """

    def __get__(self, obj: Any, owner: Any = None) -> Any:
        if obj is None:
            return self.column.field
        data = self._value(obj)
        if data is irNull:
            return irNull
        target = data.getObj()
        if target is not None and not self.column.field.isMulti():
            obj.__dict__[self.column.name] = target
        return target


class LinkIdAccessor(FieldAccessor):
    """``obj.link__id``: the pk of the linked object (of a multi link: the list of pks).

    A read never fetches. An assignment links to another pk.
    """

    def __get__(self, obj: Any, owner: Any = None) -> Any:
        if obj is None:
            return self
        data = self._value(obj)
        return irNull if data is irNull else data.getPk()

    def __set__(self, obj: Any, value: Any) -> None:
        assign(obj, self.column, value)


def assign(obj: Any, column: Column, value: Any) -> None:
    """Assign a value to an attribute: convert it, and remember the old value.

    :raises FieldValueError: if the field cannot hold ``value``; the attribute keeps its value
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
