"""What differs: between an object and its stored form, and between two objects.

Links may form circles, so whatever follows them visits each object once.
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
    """Whether the object was never saved, or differs from what was fetched or saved last.

    :param cascade: ask the linked objects that are here as well
    """
    return _is_unsaved(obj) or (cascade and any(map(_is_unsaved, reachable([obj]))))


def _is_unsaved(obj: Any) -> bool:
    if obj._id is None or not obj._state.stored:
        return True
    return any(is_changed(obj, column) for column in schema_of(obj).all)


def updated_fields(obj: Any, cascade: bool) -> Changes:
    """Return ``{name: (old, new)}`` of the fields that differ from what was fetched or saved.

    :param cascade: give links whose targets have changes, too
    """
    found = {
        column.name: (original(obj, column), value_of(obj, column))
        for column in schema_of(obj).all
        if is_changed(obj, column)
    }
    if cascade:
        for column, data in linked(obj):
            if column.name not in found and any(
                map(_is_unsaved, reachable(data.known(), {id(obj)}))
            ):
                found[column.name] = (data, data)
    return found


def differences(one: Any, other: Any) -> Changes:
    """Return ``{name: (value of one, value of other)}`` of the fields that differ."""
    theirs = schema_of(other).columns
    pairs = (
        (name, value_of(one, column), value_of(other, theirs[name]))
        for name, column in schema_of(one).columns.items()
    )
    return {name: (mine, its) for name, mine, its in pairs if not equal(mine, its)}


def same_values(one: Any, other: Any, cascade: bool) -> bool:
    """Whether all fields are equal, the pk not considered.

    :param cascade: compare linked objects that are here on both sides as well
    """
    seen: set[tuple[int, int]] = set()
    waiting = [(one, other)]
    while waiting:
        mine, its = waiting.pop()
        if mine is its or (id(mine), id(its)) in seen:
            continue
        seen.add((id(mine), id(its)))
        if differences(mine, its):
            return False
        if cascade:
            waiting += _linked_pairs(mine, its)
    return True


def _linked_pairs(one: Any, other: Any) -> Iterator[tuple[Any, Any]]:
    """The targets that two objects link to in the same place and that are here on both sides."""
    theirs = {column.name: data for column, data in linked(other)}
    for column, data in linked(one):
        if column.name in theirs:
            both = zip(_places(data), _places(theirs[column.name]), strict=True)
            yield from ((mine, its) for mine, its in both if mine is not None and its is not None)


def _places(data: Any) -> list[Any]:
    return data.obj if isinstance(data.obj, list) else [data.obj]


def equal(one: Any, other: Any) -> bool:
    # The same nan is no difference.
    return one is other or bool(one == other)
