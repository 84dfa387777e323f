"""What differs: between an object and its stored form, and between two objects.

Links may form circles, so whatever follows them visits each object once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..errors import ObjectGoneError, UnreadableValueError
from ..fields.null import irNull
from .column import Column
from .plan import Elsewhere, Flow
from .read import get_one
from .schema import Schema
from .state import confirm_fetched, is_changed, original, value_of

__all__ = ('differences', 'has_unsaved_changes', 'reload', 'same_values', 'updated_fields')

Changes = dict[str, tuple[Any, Any]]


def schema_of(obj: Any) -> Schema:
    """Return the schema of an object's model."""
    schema: Schema = type(obj)._validated()
    return schema


def linked(obj: Any) -> Iterator[tuple[Any, Any]]:
    """The links of an object that are set and decoded: their columns and data. Fetches nothing."""
    for column in schema_of(obj).links:
        data = obj.__dict__.get(column.slot, irNull)
        if data is not irNull:
            yield column, data


def has_unsaved_changes(obj: Any, cascade: bool, seen: set[int] | None = None) -> bool:
    """Whether the object was never saved, or differs from what was fetched or saved last.

    :param cascade: ask the linked objects that are here as well
    """
    seen = set() if seen is None else seen
    if id(obj) in seen:
        return False
    seen.add(id(obj))
    if obj._id is None or not obj._state.stored:
        return True
    if any(is_changed(obj, column) for column in schema_of(obj).all):
        return True
    return cascade and any(_targets_changed(data, seen) for _, data in linked(obj))


def _targets_changed(data: Any, seen: set[int]) -> bool:
    return any(has_unsaved_changes(target, True, seen) for target in data.known())


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
            if column.name not in found and _targets_changed(data, {id(obj)}):
                found[column.name] = (data, data)
    return found


def differences(one: Any, other: Any) -> Changes:
    """Return ``{name: (value of one, value of other)}`` of the fields that differ."""
    theirs = schema_of(other).columns
    pairs = (
        (name, value_of(one, column), value_of(other, theirs[name]))
        for name, column in schema_of(one).columns.items()
    )
    return {name: (mine, its) for name, mine, its in pairs if not _equal(mine, its)}


def same_values(
    one: Any, other: Any, cascade: bool, seen: set[tuple[int, int]] | None = None
) -> bool:
    """Whether all fields are equal, the pk not considered.

    :param cascade: compare linked objects that are here on both sides as well
    """
    seen = set() if seen is None else seen
    if one is other or (id(one), id(other)) in seen:
        return True
    seen.add((id(one), id(other)))
    if differences(one, other):
        return False
    if not cascade:
        return True
    theirs = {column.name: data for column, data in linked(other)}
    return all(
        same_values(mine, its, True, seen)
        for column, data in linked(one)
        if column.name in theirs
        for mine, its in zip(_places(data), _places(theirs[column.name]), strict=True)
        if mine is not None and its is not None
    )


def _places(data: Any) -> list[Any]:
    return data.obj if isinstance(data.obj, list) else [data.obj]


def _equal(one: Any, other: Any) -> bool:
    # The same nan is no difference.
    return one is other or bool(one == other)


def reload(obj: Any, cascade: bool, seen: set[int] | None = None) -> Flow[Changes]:
    """Fetch the object anew, in place; returns ``{name: (local value, fetched value)}``.

    :param cascade: fetch the linked objects that are here anew as well
    :raises ObjectGoneError: if it was never saved, or is not stored any more
    """
    seen = set() if seen is None else seen
    seen.add(id(obj))
    schema = schema_of(obj)
    if obj._id is None:
        raise ObjectGoneError(f'{schema.name}: {obj!r} was never saved, so there is no stored one.')
    fresh = yield from get_one(schema, obj._id, schema.all)
    if fresh is None:
        raise ObjectGoneError(
            f'{schema.name}: the object with pk {obj._id} is not stored any more; it was deleted, '
            'or replaced by a reset.'
        )
    pairs = {
        column.name: (_readable(obj, column), _readable(fresh, column)) for column in schema.all
    }
    changes = {name: pair for name, pair in pairs.items() if not _equal(*pair)}
    kept = {column: data for column, data in linked(obj) if column.name not in changes}
    confirm_fetched(obj, fresh, schema.all)
    for column, data in kept.items():
        obj.__dict__[column.slot] = data
        if cascade and (yield from _reload_targets(data, seen)):
            changes[column.name] = (data, data)
    return changes


def _readable(obj: Any, column: Column) -> Any:
    """The value of a field, or its stored bytes where they cannot be decoded."""
    try:
        return value_of(obj, column)
    except UnreadableValueError:
        return obj._state.raw[column.name]


def _reload_targets(data: Any, seen: set[int]) -> Flow[bool]:
    """Fetch targets anew; those that are gone are let go. Whether anything changed."""
    changed = False
    for target in data.known():
        if id(target) in seen or target._id is None:
            continue
        try:
            found = yield Elsewhere(type(target), reload(target, True, seen))
        except ObjectGoneError:
            data.let_go(target)
            found = True
        changed = changed or bool(found)
    return changed
