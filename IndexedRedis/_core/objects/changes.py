"""The changes of an object since it was fetched or saved, and the differences of two objects.

Links may form cycles, so a function that follows links visits each object once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .graph import linked, reachable, schema_of
from .state import is_changed, original, value_of

__all__ = (
    'differences',
    'has_unsaved_changes',
    'same_values',
    'updated_fields',
)

Changes = dict[str, tuple[Any, Any]]


def has_unsaved_changes(obj: Any, cascade: bool) -> bool:
    """Return whether the object was never saved, or has changed since it was fetched or saved.

    :param cascade: include linked objects in memory
    """
    return _is_unsaved(obj) or (cascade and any(map(_is_unsaved, reachable([obj]))))


def _is_unsaved(obj: Any) -> bool:
    if obj._id is None or not obj._state.stored:
        return True
    return any(is_changed(obj, column) for column in schema_of(obj).all)


def updated_fields(obj: Any, cascade: bool) -> Changes:
    """Return ``{name: (old, new)}`` of the fields that changed since the last fetch or save.

    :param cascade: include links whose targets in memory have changes
    """
    changes = {
        column.name: (original(obj, column), value_of(obj, column))
        for column in schema_of(obj).all
        if is_changed(obj, column)
    }
    if cascade:
        for column, data in linked(obj):
            if column.name not in changes and any(
                map(_is_unsaved, reachable(data.known(), {id(obj)}))
            ):
                changes[column.name] = (data, data)
    return changes


def differences(one: Any, other: Any) -> Changes:
    """Return ``{name: (value of one, value of other)}`` of the fields that differ.

    Both objects have the same field names.
    """
    others = schema_of(other).columns
    values = {
        name: (value_of(one, column), value_of(other, others[name]))
        for name, column in schema_of(one).columns.items()
    }
    return {name: pair for name, pair in values.items() if not equal(*pair)}


def same_values(one: Any, other: Any, cascade: bool) -> bool:
    """Return whether all fields are equal. Pks do not count.

    :param cascade: compare linked objects that both sides have in memory
    """
    visited: set[tuple[int, int]] = set()
    pairs = [(one, other)]
    while pairs:
        mine, its = pairs.pop()
        if mine is its or (id(mine), id(its)) in visited:
            continue
        visited.add((id(mine), id(its)))
        if differences(mine, its):
            return False
        if cascade:
            pairs += _linked_pairs(mine, its)
    return True


def _linked_pairs(one: Any, other: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the targets of equal links that both objects have in memory, in pairs."""
    others = {column.name: data for column, data in linked(other)}
    for column, data in linked(one):
        if column.name in others:
            targets = zip(_targets(data), _targets(others[column.name]), strict=True)
            yield from ((a, b) for a, b in targets if a is not None and b is not None)


def _targets(data: Any) -> list[Any]:
    return data.obj if isinstance(data.obj, list) else [data.obj]


def equal(one: Any, other: Any) -> bool:
    """Return whether two values are equal. A NaN equals itself."""
    return one is other or bool(one == other)
