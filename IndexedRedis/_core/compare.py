"""What differs: between an object and its stored form, and between two objects.

Links may form circles, so whatever follows them visits each object once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..errors import ObjectGoneError, UnreadableValueError
from ..fields.null import irNull
from .column import Column
from .plan import Elsewhere, Flow
from .read import get_many, get_one
from .schema import Schema
from .state import confirm_fetched, is_changed, original, value_of

__all__ = (
    'differences',
    'has_unsaved_changes',
    'reachable',
    'reload',
    'same_values',
    'updated_fields',
)

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


def reachable(objs: Iterable[Any], visited: set[int] | None = None) -> list[Any]:
    """The objects that links lead to and that are here, children before their parents.

    :param visited: the ``id()`` of objects to leave out, with what only they lead to
    """
    found: list[Any] = []
    visited = set() if visited is None else visited
    # A stack instead of recursion: chains of links may be longer than Python's.
    stack = [(obj, False) for obj in reversed(list(objs))]
    while stack:
        obj, done = stack.pop()
        if done:
            found.append(obj)
        elif id(obj) not in visited:
            visited.add(id(obj))
            stack.append((obj, True))
            stack += [(target, False) for target in reversed(children(obj))]
    return found


def children(obj: Any) -> list[Any]:
    """The objects that this one links to and that are here."""
    return [target for _, data in linked(obj) for target in data.known()]


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
    return {name: (mine, its) for name, mine, its in pairs if not _equal(mine, its)}


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


def _equal(one: Any, other: Any) -> bool:
    # The same nan is no difference.
    return one is other or bool(one == other)


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
    changes = {name: pair for name, pair in pairs.items() if not _equal(*pair)}
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
