"""Following links: to fetch, one batch for each level and model; to save, children first.

Links may form circles, so each object is visited once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..errors import UnreadableValueError
from ..fields.null import irNull
from .compare import children, linked, reachable, schema_of
from .entry import check_model
from .plan import Elsewhere, Flow
from .read import get_many
from .schema import Schema
from .state import value_of
from .write import save_all

__all__ = (
    'cascade_fetch',
    'fetch_linked',
    'fetch_linked_of_one',
    'save',
    'save_each',
    'save_linked',
)

Target = tuple[Any, int]
# Tells on which server an object lives, or of None, on which one the flow runs.
Place = Callable[[Any], Any]


def cascade_fetch(objs: Iterable[Any]) -> Flow[None]:
    """Fetch all that ``objs`` link to, and what that links to, and so on.

    Objects that several others link to are fetched once and shared.
    """
    level = [obj for obj in objs if obj is not None]
    # Partial objects are no targets: who follows a link gets all of the fields.
    here: dict[Target, Any] = {
        (type(obj), obj._id): obj for obj in level if obj._state.fetched is None
    }
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
    early: list[Any] = []
    here: list[Any] = []
    if place is not None:
        early, here = yield from save_linked(objs, place)
    yield from save_all(objs, forced, here)
    for obj in (*early, *here, *objs):
        for _, data in linked(obj):
            data.getPks()  # picks them up: should a target be deleted later, the link is to its pk
    if place is not None:
        yield from save_each(early, place)
    return [obj._id for obj in objs]


def save_linked(objs: Sequence[Any], place: Place) -> Flow[tuple[list[Any], list[Any]]]:
    """Save the linked objects that live on other servers than ``objs``, and what they lead to.

    In a circle they may link to objects that have no pk yet: once those have, ``save_each`` stores
    such links.

    :returns: those that were saved, and the others
    """
    if not any(model._validated().links for model in {type(obj) for obj in objs}):
        return [], []
    listed = {id(obj) for obj in objs}
    targets = [target for target in reachable(objs) if id(target) not in listed]
    home = place(None)
    early = {id(obj) for obj in reachable(t for t in targets if place(t) is not home)}
    before = [target for target in targets if id(target) in early]
    yield from save_each(before, place)
    return before, [target for target in targets if id(target) not in early]


def save_each(targets: Sequence[Any], place: Place) -> Flow[None]:
    """Save what is new or changed of ``targets``, children first, each where it lives."""
    for group in _in_turn(targets, place):
        yield Elsewhere(group[0], save_all((), targets=group))


def _in_turn(targets: Sequence[Any], place: Place) -> list[list[Any]]:
    """Group objects, given children first, by server, so that those linked to are saved earlier."""
    places = {id(target): place(target) for target in targets}
    turns: dict[int, int] = {}
    groups: dict[tuple[int, int], list[Any]] = {}
    for target in targets:
        here = places[id(target)]
        # One more for each change of servers on the way.
        after = [
            turns[id(c)] + (places[id(c)] is not here) for c in children(target) if id(c) in turns
        ]
        turn = turns[id(target)] = max(after, default=0)
        groups.setdefault((turn, id(here)), []).append(target)
    return [groups[key] for key in sorted(groups)]
