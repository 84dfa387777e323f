"""The class form of a model: fields as class attributes.

A field is a ``str``, its name, but in a class body it is made before its name is known. So a field
that is named like its attribute takes the place of each, and in the lists of the class as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .._core.objects.attributes import FieldAccessor
from ..fields import IRField

__all__ = ('declare',)

_LISTS = ('FIELDS', 'INDEXED_FIELDS', 'SORTED_FIELDS', 'UNIQUE_FIELDS')


def declare(cls: Any) -> None:
    """Give a new model ``FIELDS`` of its attributes and those of its bases.

    Of attributes of one name Python's order of the bases chooses; one that is no field hides a
    field. Unknown names are refused then, unless the model or a base of it says otherwise. A model
    that lists ``FIELDS`` itself keeps them.
    """
    declared: dict[Any, dict[str, IRField]] = {}
    for base in reversed(cls.__mro__[1:]):
        declared |= vars(base).get('_declared', {})
    named: dict[int, IRField] = {}
    for each in cls.__mro__:
        if each not in declared and '_declared' not in vars(each):
            for name, field in _fields_in(vars(each)):
                named[id(field)] = declared.setdefault(each, {})[name] = field.named(name)
    lists_fields = 'FIELDS' in vars(cls)
    type.__setattr__(cls, '_declared', declared)
    type.__setattr__(cls, '_lists_fields', lists_fields)
    if not declared:
        return
    for name in _LISTS:
        given = getattr(cls, name)
        items = _replaced(given, named)
        if name in vars(cls) or items != given:
            type.__setattr__(cls, name, items)
    fields = {each.name: each for each in named.values()} if lists_fields else _inherited(cls)
    for name, field in fields.items():
        if isinstance(field, IRField):
            type.__setattr__(cls, name, field)
    if not lists_fields and [*map(id, fields.values())] != [*map(id, cls.FIELDS or ())]:
        type.__setattr__(cls, 'FIELDS', [*fields.values()])
        if cls.UNKNOWN_NAMES is None:
            type.__setattr__(cls, 'UNKNOWN_NAMES', 'raise')


def _inherited(cls: Any) -> dict[str, Any]:
    """Return the fields of a model by name, those of its bases first."""
    fields: dict[str, tuple[type, Any]] = {}
    for each in reversed(cls.__mro__):
        if vars(each).get('_lists_fields'):
            # The list says all: fields of its bases that it leaves out are gone.
            fields = {k: v for k, v in fields.items() if v[0] not in each.__mro__}
            listed = each.FIELDS if isinstance(each.FIELDS, (list, tuple)) else ()
            own = {str.__str__(field): field for field in listed if isinstance(field, str)}
        else:
            fields = {k: v for k, v in fields.items() if not _hides(each, k)}
            own = cls._declared.get(each, {})
        fields |= {name: (each, field) for name, field in own.items()}
    return {name: field for name, (_, field) in fields.items()}


def _hides(cls: type, name: str) -> bool:
    """Return whether a class has an attribute of this name that is no field."""
    own = vars(cls)
    return name in own and not isinstance(own[name], (IRField, FieldAccessor))


def _fields_in(namespace: Mapping[str, Any]) -> Iterator[tuple[str, IRField]]:
    for name, value in namespace.items():
        if isinstance(value, IRField) and value.name in ('', name):
            yield name, value


def _replaced(items: Any, named: Mapping[int, IRField]) -> Any:
    """Return a list of fields with the named ones, and so the lists in it."""
    if isinstance(items, (list, tuple)):
        return type(items)(_replaced(item, named) for item in items)
    return named.get(id(items), items)
