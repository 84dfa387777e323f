"""Following links: to fetch, one batch for each level and model; to save, children first.

Links may form circles, so each object is visited once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..errors import UnreadableValueError
from ..fields.null import irNull
from .compare import linked, schema_of
from .entry import check_model
from .plan import Elsewhere, Flow
from .read import get_many
from .schema import Schema
from .state import value_of
from .write import save_all

__all__ = ('cascade_fetch', 'fetch_linked', 'fetch_linked_of_one', 'reachable', 'save')

Target = tuple[Any, int]
# Tells on which server an object lives: equal for equal servers.
Place = Callable[[Any], Any]


def cascade_fetch(objs: Iterable[Any]) -> Flow[None]:
    """Fetch all that ``objs`` link to, and what that links to, and so on.

    Objects that several others link to are fetched once and shared.
    """
    level = [obj for obj in objs if obj is not None]
    here: dict[Target, Any] = {(type(obj), obj._id): obj for obj in level}
    visited = {id(obj) for obj in level}
    while level:
        links = [data for obj in level for data in _links(obj)]
        yield from _fetch_missing(links, here)
        level = []
        for data in links:
            data.attach({pk: here.get((data.foreignModel, pk)) for pk in data.missing()})
            fresh = [target for target in data.known() if id(target) not in visited]
            visited.update(map(id, fresh))
            level += fresh


def fetch_linked(flow: Flow[list[Any]]) -> Flow[list[Any]]:
    """What a flow fetches, and all that it links to."""
    objs = yield from flow
    yield from cascade_fetch(objs)
    return objs


def fetch_linked_of_one(flow: Flow[Any]) -> Flow[Any]:
    """The object that a flow fetches, if it does, and all that it links to."""
    obj = yield from flow
    yield from cascade_fetch([obj])
    return obj


def _links(obj: Any) -> list[Any]:
    """The data of an object's links; one that cannot be read waits until it is touched."""
    found = []
    for column in schema_of(obj).links:
        try:
            data = value_of(obj, column)
        except UnreadableValueError:
            continue
        if data is not irNull:
            found.append(data)
    return found


def _fetch_missing(links: list[Any], here: dict[Target, Any]) -> Flow[None]:
    wanted: dict[Any, dict[int, None]] = {}
    for data in links:
        for pk in data.missing():
            if pk is not None and (data.foreignModel, pk) not in here:
                wanted.setdefault(data.foreignModel, {})[pk] = None
    for model, pks in wanted.items():
        schema = model._validated()
        found = yield Elsewhere(model, get_many(schema, list(pks), schema.all))
        here.update({(model, pk): obj for pk, obj in zip(pks, found, strict=True)})


def save(
    schema: Schema,
    objs: Sequence[Any],
    forced: Sequence[int | None],
    place: Place | None = None,
) -> Flow[list[int]]:
    """Store all of ``objs``, or none; and what they link to, if that is new or changed.

    :param forced: for each object the pk to store it under, or None
    :param place: tells on which server an object lives; None leaves linked objects alone
    :returns: the pks, in order
    """
    for obj in objs:
        check_model(schema, obj)
    targets: list[Any] = []
    if place is not None:
        targets = yield from save_linked(objs, place)
    yield from save_all([*targets, *objs], [*([None] * len(targets)), *forced])
    return [obj._id for obj in objs]


def save_linked(objs: Sequence[Any], place: Place) -> Flow[list[Any]]:
    """Save the linked objects that live on other servers than ``objs``; returns the others."""
    listed = {id(obj) for obj in objs}
    targets = [target for target in reachable(objs) if id(target) not in listed]
    if not targets:
        return []
    home = place(objs[0])
    elsewhere: dict[Any, list[Any]] = {}
    for target in targets:
        elsewhere.setdefault(place(target), []).append(target)
    here = elsewhere.pop(home, [])
    for group in elsewhere.values():
        yield Elsewhere(group[0], save_all(group, [None] * len(group)))
    return here


def reachable(objs: Iterable[Any]) -> list[Any]:
    """The objects that links lead to and that are here, children before their parents."""
    found: list[Any] = []
    visited: set[int] = set()
    # A stack instead of recursion: chains of links may be longer than Python's.
    stack = [(obj, False) for obj in reversed(list(objs))]
    while stack:
        obj, done = stack.pop()
        if done:
            found.append(obj)
        elif id(obj) not in visited:
            visited.add(id(obj))
            stack.append((obj, True))
            targets = [target for _, data in linked(obj) for target in data.known()]
            stack += [(target, False) for target in reversed(targets)]
    return found
