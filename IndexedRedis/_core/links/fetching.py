"""The flows that fetch linked objects: all targets of one level in one trip a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ...errors import UnreadableValueError
from ...fields.null import irNull
from ..flows import Elsewhere, Flow
from ..objects.state import value_of
from ..overlap import together
from ..queries.by_pk import get_targets

__all__ = (
    'cascade_fetch',
    'fetch_linked',
    'fetch_linked_of_one',
)


# A link that is set: the object, the attribute if the link is a single one, and the link data.
Link = tuple[Any, str | None, Any]

# What was fetched so far, by model and pk; None for what is not stored.
Here = dict[Any, dict[int, Any]]

# Tells on which server an object lives, or of None, on which one the flow runs.
ServerOf = Callable[[Any], Any]


def cascade_fetch(objs: Iterable[Any], server_of: ServerOf | None = None) -> Flow[None]:
    """Fetch all that ``objs`` link to, and what that links to, and so on.

    Objects that several others link to are fetched once and shared.

    :param server_of: gives the server of a model; models of one server share round trips
    """
    level = [obj for obj in objs if obj is not None]
    here: Here = {}
    for obj in level:
        # Partial objects are no targets: who follows a link gets all of the fields.
        if obj._state.fetched is None:
            here.setdefault(type(obj), {})[obj._id] = obj
    visited = {id(obj) for obj in level}
    while level:
        links = _links(level)
        yield from _fetch_missing(links, here, server_of)
        level = _attach(links, here, visited)


def fetch_linked(flow: Flow[list[Any]], server_of: ServerOf | None = None) -> Flow[list[Any]]:
    """What a flow fetches, and all that it links to."""
    objs = yield from flow
    yield from cascade_fetch(objs, server_of)
    return objs


def fetch_linked_of_one(flow: Flow[Any], server_of: ServerOf | None = None) -> Flow[Any]:
    """The object that a flow fetches, if it does, and all that it links to."""
    obj = yield from flow
    yield from cascade_fetch([obj], server_of)
    return obj


def _links(objs: Sequence[Any]) -> list[Link]:
    """The links that are set; one that cannot be read waits until it is touched."""
    columns = {model: model._validated().links for model in {type(obj) for obj in objs}}
    found: list[Link] = []
    for obj in objs:
        for column in columns[type(obj)]:
            try:
                data = value_of(obj, column)
            except UnreadableValueError:
                continue
            if data is not irNull:
                found.append((obj, None if column.field.isMulti() else column.name, data))
    return found


def _fetch_missing(links: list[Link], here: Here, server_of: ServerOf | None) -> Flow[None]:
    """Fetch all targets that are not here yet: those of one server in one trip."""
    wanted: dict[Any, dict[int, None]] = {}
    for _, _, data in links:
        known = here.setdefault(data.foreignModel, {})
        for pk in data.missing():
            if pk is not None and pk not in known:
                wanted.setdefault(data.foreignModel, {})[pk] = None
    for models in _by_server([*wanted], server_of):
        flows = [get_targets(model._validated(), [*wanted[model]]) for model in models]
        found = yield Elsewhere(models[0], together(flows))
        for model, targets in zip(models, found, strict=True):
            here[model].update(zip(wanted[model], targets, strict=True))


def _by_server(models: list[Any], server_of: ServerOf | None) -> list[list[Any]]:
    """The models in groups, each of which lives on one server as far as is known, and whose answers
    may be remembered, or not."""
    if server_of is None or len(models) == 1:
        return [[model] for model in models]
    groups: dict[tuple[int, bool], list[Any]] = {}
    for model in models:
        groups.setdefault((id(server_of(model)), model.CLIENT_SIDE_CACHE > 0), []).append(model)
    return [*groups.values()]


def _attach(links: list[Link], here: Here, visited: set[int]) -> list[Any]:
    """Give the links their targets; returns those that were not visited yet."""
    fresh = []
    for obj, name, data in links:
        targets = data.attach(here[data.foreignModel])
        if name is not None and targets:
            # As the first touch would: from now on it is read like any attribute.
            obj.__dict__[name] = targets[0]
        for target in targets:
            if id(target) not in visited:
                visited.add(id(target))
                fresh.append(target)
    return fresh
