"""How attributes of objects are read and assigned.

Reading: values sit in the instance's ``__dict__``, so a read is a plain attribute read. The
descriptor here has no ``__set__``, so Python asks it only where the instance has no value yet:
it decodes the stored bytes, puts the value there, and is not asked again.
"""

from __future__ import annotations

from typing import Any

from .column import Column
from .state import PENDING, UNKNOWN, State, own_state

__all__ = ('FieldAccessor', 'assign')


class FieldAccessor:
    """Decodes a field at its first touch.

    :param column: the field
    """

    def __init__(self, column: Column) -> None:
        self.column = column

    def __get__(self, obj: Any, owner: Any = None) -> Any:
        if obj is None:
            return self
        column = self.column
        if column.name not in type(obj)._schema.columns:
            # Left behind on the class, or a base, by another definition.
            raise AttributeError(f'{type(obj).__name__} has no field {column.name!r}')
        raw = obj._state.raw
        value = column.decode(raw.get(column.name), obj._id)
        obj.__dict__[column.name] = value
        if column.immutable:
            raw.pop(column.name, None)
        return value


def assign(obj: Any, column: Column, value: Any) -> None:
    """Convert ``value`` and make it the attribute's, noting the old one.

    :raises FieldValueError: if the field cannot hold it; the attribute keeps its value
    """
    converted = column.from_input(value)
    state = own_state(obj)
    if column.name not in state.changed:
        _note_old(obj, column, state)
    obj.__dict__[column.name] = converted


def _note_old(obj: Any, column: Column, state: State) -> None:
    name = column.name
    if state.fetched is not None and name not in state.fetched:
        state.changed[name] = UNKNOWN
    elif column.immutable or not state.stored:
        state.changed[name] = obj.__dict__.get(name, PENDING)
