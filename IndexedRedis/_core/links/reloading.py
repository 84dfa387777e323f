"""Reload: the flow that replaces the values of objects by the stored ones."""

from __future__ import annotations

from typing import Any

from ...errors import ObjectGoneError, UnreadableValueError
from ..column import Column
from ..flows import Elsewhere, Flow, ask
from ..incarnations import is_lost
from ..mapping.resp import get_record
from ..mapping.schema import Schema
from ..objects.changes import Changes, equal
from ..objects.graph import linked, reachable, schema_of
from ..objects.state import confirm_fetched, value_of
from ..overlap import together
from ..partitions.reading import get_one, read_each
from ..queries.by_pk import get_many

__all__ = ('reload',)


def reload(obj: Any, cascade: bool) -> Flow[Changes]:
    """Replace the values of an object by the stored ones; return the differences.

    :param cascade: reload linked objects in memory too
    :returns: ``{name: (local value, fetched value)}`` of the fields that differed
    :raises ObjectGoneError: if the object is not stored
    """
    schema = schema_of(obj)
    if obj._id is None:
        raise ObjectGoneError(f'{schema.name}: {obj!r} was never saved. Save it first.')
    fresh = yield from get_one(schema, obj._id, schema.all, obj._state.drawn)
    if fresh is None:
        raise ObjectGoneError(
            f'{schema.name}: the object with pk {obj._id} is not stored any more; it was deleted, '
            'replaced by a reset, or lost in a failover. Fetch it anew, or save obj.copy().'
        )
    changes = _take_in(obj, fresh)
    if cascade:
        touched = yield from _reload_targets(obj)
        for column, data in linked(obj):
            if column.name not in changes and _leads_to(data, touched, obj):
                changes[column.name] = (data, data)
    return changes


def _take_in(obj: Any, fresh: Any) -> Changes:
    """Replace the values of an object by fetched ones. Targets in memory stay."""
    columns = schema_of(obj).all
    pairs = {column.name: (_readable(obj, column), _readable(fresh, column)) for column in columns}
    changes = {name: pair for name, pair in pairs.items() if not equal(*pair)}
    kept = {column: data for column, data in linked(obj) if column.name not in changes}
    confirm_fetched(obj, fresh, columns)
    for column, data in kept.items():
        obj.__dict__[column.slot] = data
    return changes


def _readable(obj: Any, column: Column) -> Any:
    """Return the value of a field, or its stored bytes if they cannot be decoded."""
    try:
        return value_of(obj, column)
    except UnreadableValueError:
        return obj._state.raw[column.name]


def _reload_targets(obj: Any) -> Flow[set[int]]:
    """Reload all objects in memory that an object leads to, in one batch a level and model.

    Links drop targets that were deleted.

    :returns: the ``id()`` of the objects and link data that changed
    """
    touched: set[int] = set()
    seen, level = {id(obj)}, [obj]
    while level:
        links = [data for holder in level for _, data in linked(holder)]
        level = list(
            {id(t): t for data in links for t in data.known() if t._id is not None}.values()
        )
        level = [target for target in level if id(target) not in seen]
        seen.update(map(id, level))
        gone = yield from _reload_level(level, touched)
        for data in links:
            lost = [target for target in data.known() if id(target) in gone]
            touched.update([id(data)] if lost else [])
            for target in lost:
                data.let_go(target)
        level = [target for target in level if id(target) not in gone]
    return touched


def _reload_level(level: list[Any], touched: set[int]) -> Flow[set[int]]:
    """Reload objects; return the ``id()`` of those that were deleted."""
    gone: set[int] = set()
    models: dict[Any, list[Any]] = {}
    for target in level:
        models.setdefault(type(target), []).append(target)
    for model, targets in models.items():
        schema = model._validated()
        forms = yield Elsewhere(model, _stored_forms(schema, targets))
        for target, fresh in zip(targets, forms, strict=True):
            if fresh is None:
                gone.add(id(target))
            elif _take_in(target, fresh):
                touched.add(id(target))
    return gone


def _stored_forms(schema: Schema, targets: list[Any]) -> Flow[list[Any]]:
    """Return the stored objects of these targets; None for a target that is not stored."""
    if not schema.partitions:
        return (yield from _forms(schema, targets))
    return (yield from read_each(schema, [target._id for target in targets], targets, _forms))


def _forms(schema: Schema, targets: list[Any]) -> Flow[list[Any]]:
    rows = get_many(schema, [target._id for target in targets], schema.all)
    found, (listed,) = yield from together([rows, ask(*get_record(schema.keys.incarnations))])
    return [
        None if is_lost(listed, target._state.drawn, target._id) else fresh
        for target, fresh in zip(targets, found, strict=True)
    ]


def _leads_to(data: Any, touched: set[int], obj: Any) -> bool:
    """Return whether a link leads to a changed object or link data, apart from its own object."""
    if id(data) in touched:
        return True
    found = reachable(data.known(), {id(obj)})
    links = [each for target in found for _, each in linked(target)]
    return any(id(each) in touched for each in (*found, *links))
