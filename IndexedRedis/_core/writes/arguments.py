"""Check the objects that a caller wants to write, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ...errors import UsageError
from ..mapping.schema import Schema
from ..objects.graph import schema_of


def check_whole(obj: Any) -> None:
    """Check that an object has all its fields, so that no stored value is replaced by a default.

    :raises UsageError: if the object was fetched without some fields
    """
    state = obj._state
    if not state.stored or state.fetched is None:
        return
    missing = [name for name in schema_of(obj).columns if not state.knows(name)]
    if missing:
        raise UsageError(
            f'{type(obj).__name__}: the object with pk {obj._id} was fetched without '
            f'{", ".join(missing)}, which would be stored as null. Fetch it whole, or assign them.'
        )


def check_model(schema: Schema, obj: Any) -> None:
    """Check that ``obj`` belongs to the model, or to a variant of it.

    :raises UsageError: if it does not
    """
    if not getattr(obj, '_is_ir_model', False) or isinstance(obj, type):
        raise UsageError(f'{schema.name}: {obj!r} is no object of {schema.name}.')
    if not schema.cls._is_variant(type(obj)):
        raise UsageError(f'{schema.name}: {obj!r} is no object of {schema.name}.')


def check_distinct(schema: Schema, objs: Sequence[Any], pks: Iterable[int | None]) -> None:
    """Check that each object and each pk is listed once: it is undefined which of two would win.

    :raises UsageError: naming the first that is listed twice
    """
    if len({id(obj) for obj in objs}) != len(objs):
        raise UsageError(f'{schema.name}: the same object is listed twice; give each once.')
    seen = set()
    for pk in pks:
        if pk is not None and pk in seen:
            raise UsageError(f'{schema.name}: two objects with pk {pk} are listed; give one.')
        seen.add(pk)
