"""What differs: between an object and its stored form, and between two objects. No I/O but one."""

from __future__ import annotations

from typing import Any

from ..errors import ObjectGoneError, UnreadableValueError
from .plan import Flow
from .read import get_one
from .schema import Schema
from .state import confirm_fetched, is_changed, original

__all__ = ('differences', 'reload', 'same_values', 'updated_fields')


def updated_fields(schema: Schema, obj: Any) -> dict[str, tuple[Any, Any]]:
    """Return ``{name: (old, new)}`` of the fields that differ from what was fetched or saved."""
    return {
        column.name: (original(obj, column), getattr(obj, column.name))
        for column in schema.all
        if is_changed(obj, column)
    }


def differences(schema: Schema, one: Any, other: Any) -> dict[str, tuple[Any, Any]]:
    """Return ``{name: (value of one, value of other)}`` of the fields that differ."""
    pairs = ((name, getattr(one, name), getattr(other, name)) for name in schema.columns)
    return {name: (mine, theirs) for name, mine, theirs in pairs if not _equal(mine, theirs)}


def same_values(schema: Schema, one: Any, other: Any) -> bool:
    """Whether all fields are equal, the pk not considered."""
    return all(_equal(getattr(one, name), getattr(other, name)) for name in schema.columns)


def _equal(one: Any, other: Any) -> bool:
    # The same nan is no difference.
    return one is other or bool(one == other)


def reload(schema: Schema, obj: Any) -> Flow[dict[str, tuple[Any, Any]]]:
    """Fetch the object anew, in place; returns ``{name: (local value, fetched value)}``.

    :raises ObjectGoneError: if it was never saved, or is not stored any more
    """
    if obj._id is None:
        raise ObjectGoneError(f'{schema.name}: {obj!r} was never saved, so there is no stored one.')
    fresh = yield from get_one(schema, obj._id, schema.all)
    if fresh is None:
        raise ObjectGoneError(
            f'{schema.name}: the object with pk {obj._id} is not stored any more; it was deleted, '
            'or replaced by a reset.'
        )
    pairs = {name: (_readable(obj, name), _readable(fresh, name)) for name in schema.columns}
    confirm_fetched(obj, fresh, schema.columns)
    return {name: pair for name, pair in pairs.items() if not _equal(*pair)}


def _readable(obj: Any, name: str) -> Any:
    """The value of a field, or its stored bytes where they cannot be decoded."""
    try:
        return getattr(obj, name)
    except UnreadableValueError:
        return obj._state.raw[name]
