"""The flow that reloads objects: changed fields are read anew, linked objects with them."""

from __future__ import annotations

from typing import Any

from ...errors import ObjectGoneError, UnreadableValueError
from ..column import Column
from ..flows import Elsewhere, Flow
from ..objects.changes import Changes, equal
from ..objects.graph import linked, reachable, schema_of
from ..objects.state import confirm_fetched, value_of
from ..queries.by_pk import get_many, get_one

__all__ = ('reload',)


def reload(obj: Any, cascade: bool) -> Flow[Changes]:
    """Fetch the object anew, in place; returns ``{name: (local value, fetched value)}``.

    :param cascade: fetch the linked objects that are here anew as well
    :raises ObjectGoneError: if it was never saved, or is not stored any more
    """
    schema = schema_of(obj)
    if obj._id is None:
        raise ObjectGoneError(f'{schema.name}: {obj!r} was never saved, so there is no stored one.')
    fresh = yield from get_one(schema, obj._id, schema.all)
    if fresh is None:
        raise ObjectGoneError(
            f'{schema.name}: the object with pk {obj._id} is not stored any more; it was deleted, '
            'or replaced by a reset.'
        )
    changes = _take_in(obj, fresh)
    if cascade:
        touched = yield from _reload_targets(obj)
        for column, data in linked(obj):
            if column.name not in changes and _leads_to(data, touched, obj):
                changes[column.name] = (data, data)
    return changes


def _take_in(obj: Any, fresh: Any) -> Changes:
    """Give the object the values that were fetched; targets that are here stay."""
    columns = schema_of(obj).all
    pairs = {column.name: (_readable(obj, column), _readable(fresh, column)) for column in columns}
    changes = {name: pair for name, pair in pairs.items() if not equal(*pair)}
    kept = {column: data for column, data in linked(obj) if column.name not in changes}
    confirm_fetched(obj, fresh, columns)
    for column, data in kept.items():
        obj.__dict__[column.slot] = data
    return changes


def _readable(obj: Any, column: Column) -> Any:
    """The value of a field, or its stored bytes where they cannot be decoded."""
    try:
        return value_of(obj, column)
    except UnreadableValueError:
        return obj._state.raw[column.name]


def _reload_targets(obj: Any) -> Flow[set[int]]:
    """Fetch all that the object leads to anew, a batch for each level and model.

    Targets that are gone are let go. Returns the ``id()`` of objects and link data that changed.
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
    """Fetch these objects anew; returns the ``id()`` of those that are gone."""
    gone: set[int] = set()
    models: dict[Any, list[Any]] = {}
    for target in level:
        models.setdefault(type(target), []).append(target)
    for model, targets in models.items():
        schema = model._validated()
        flow = get_many(schema, [target._id for target in targets], schema.all)
        for target, fresh in zip(targets, (yield Elsewhere(model, flow)), strict=True):
            if fresh is None:
                gone.add(id(target))
            elif _take_in(target, fresh):
                touched.add(id(target))
    return gone


def _leads_to(data: Any, touched: set[int], obj: Any) -> bool:
    """Whether a link leads to something that changed, other than its own holder."""
    if id(data) in touched:
        return True
    found = reachable(data.known(), {id(obj)})
    links = [each for target in found for _, each in linked(target)]
    return any(id(each) in touched for each in (*found, *links))
