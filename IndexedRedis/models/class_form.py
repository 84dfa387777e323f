"""The class form of a model: fields as class attributes.

A field is a ``str``, its name, but in a class body it is made before its name is known. So a field
that is named like its attribute takes the place of each, and in the lists of the class as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..fields import IRField

__all__ = ('declare',)

_LISTS = ('FIELDS', 'INDEXED_FIELDS', 'SORTED_FIELDS', 'UNIQUE_FIELDS')


def declare(cls: Any) -> None:
    """Give a new model ``FIELDS`` of its attributes, after the fields of its bases.

    Unknown names are refused then, unless the model or a base of it says otherwise. A model that
    lists ``FIELDS`` itself keeps them.
    """
    fields: dict[str, Any] = {}
    named: dict[int, IRField] = {}
    for each in reversed(cls.__mro__):
        if each is not cls and 'FIELDS' in vars(each):
            fields |= {str.__str__(field): field for field in each.FIELDS}
            continue
        for name, field in [*_declared(vars(each))]:
            fields[name] = named[id(field)] = field.named(name)
            type.__setattr__(cls, name, fields[name])
    if not named:
        return
    lists_fields = 'FIELDS' in vars(cls)
    for name in _LISTS:
        type.__setattr__(cls, name, _replaced(getattr(cls, name), named))
    if not lists_fields:
        type.__setattr__(cls, 'FIELDS', [*fields.values()])
        if cls.UNKNOWN_NAMES is None:
            type.__setattr__(cls, 'UNKNOWN_NAMES', 'raise')


def _declared(namespace: Mapping[str, Any]) -> Iterator[tuple[str, IRField]]:
    for name, value in namespace.items():
        if isinstance(value, IRField) and value.name in ('', name):
            yield name, value


def _replaced(items: Any, named: Mapping[int, IRField]) -> Any:
    """Return a list of fields with the named ones, and so the lists in it."""
    if isinstance(items, (list, tuple)):
        return type(items)(_replaced(item, named) for item in items)
    return named.get(id(items), items)
