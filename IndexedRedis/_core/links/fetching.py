"""Cascade fetch: the flows that fetch linked objects, in one round trip a level and server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ...errors import ConflictError, UnreadableValueError
from ...fields.null import irNull
from ..flows import Elsewhere, Flow
from ..mapping.schema import Schema
from ..objects.state import value_of
from ..partitions.reading import get_targets
from .markers import SwapMarkers

__all__ = (
    'cascade_fetch',
    'fetch_linked',
    'fetch_linked_of_one',
)


# How often a reader begins anew whose data set was replaced in place. A reset takes longer than a
# read, so this is far more than needed.
ATTEMPTS = 20

# A link that is set: the object, the name of the attribute (None for a multi link), the link data.
Link = tuple[Any, str | None, Any]

# Targets in memory, by model and pk; None for a target that is not stored.
Targets = dict[Any, dict[int, Any]]

# Returns the server of a model or object; of None, the server that the flow runs on.
ServerOf = Callable[[Any], Any]


def cascade_fetch(
    objs: Iterable[Any],
    server_of: ServerOf | None = None,
    markers: SwapMarkers | None = None,
) -> Flow[None]:
    """Fetch the objects that ``objs`` link to, the objects that these link to, and so on.

    A target of several links is fetched once, and the links share it.

    :param server_of: gives the server of a model; models of one server share round trips
    :param markers: the swap markers that were read so far
    """
    level = [obj for obj in objs if obj is not None]
    markers = SwapMarkers() if markers is None else markers
    found: Targets = {}
    for obj in level:
        # A target has all its fields, so a partial object cannot be one.
        if obj._state.fetched is None:
            found.setdefault(type(obj), {})[obj._id] = obj
    visited = {id(obj) for obj in level}
    while level and not markers.changed:
        links = _links(level)
        yield from _fetch_missing(links, found, server_of, markers)
        level = _attach(links, found, visited)


def fetch_linked(
    schema: Schema, make: Callable[[], Flow[list[Any]]], server_of: ServerOf
) -> Flow[list[Any]]:
    """Return what a flow fetches, with all that it links to, from one data set.

    :param make: gives the flow, which reads objects of the schema's model
    """
    for _ in range(ATTEMPTS):
        markers = SwapMarkers()
        home = server_of(None)
        (objs,) = yield from markers.around(home, [schema], [make()])
        yield from cascade_fetch(objs, server_of, markers)
        yield from markers.confirm()
        if not markers.changed:
            return objs
    raise ConflictError(
        f'{schema.name}: resets replaced the data set {ATTEMPTS} times while objects and what they '
        'link to were read. Read again, or reset less often.'
    )


def fetch_linked_of_one(
    schema: Schema, make: Callable[[], Flow[Any]], server_of: ServerOf
) -> Flow[Any]:
    """Return the object that a flow fetches, or None; as of :func:`fetch_linked`."""

    def as_list() -> Flow[list[Any]]:
        return [(yield from make())]

    (obj,) = yield from fetch_linked(schema, as_list, server_of)
    return obj


def _links(objs: Sequence[Any]) -> list[Link]:
    """Return the links of objects that are set and can be decoded."""
    columns = {model: model._validated().links for model in {type(obj) for obj in objs}}
    links: list[Link] = []
    for obj in objs:
        for column in columns[type(obj)]:
            try:
                data = value_of(obj, column)
            except UnreadableValueError:
                continue  # a read of the attribute raises it
            if data is not irNull:
                links.append((obj, None if column.field.isMulti() else column.name, data))
    return links


def _fetch_missing(
    links: list[Link], found: Targets, server_of: ServerOf | None, markers: SwapMarkers
) -> Flow[None]:
    """Fetch the targets that are not in memory: those of one server in one round trip."""
    wanted: dict[Any, dict[int, None]] = {}
    for _, _, data in links:
        in_memory = found.setdefault(data.foreignModel, {})
        for pk in data.missing():
            if pk is not None and pk not in in_memory:
                wanted.setdefault(data.foreignModel, {})[pk] = None
    for models in _by_server([*wanted], server_of):
        schemas = [model._validated() for model in models]
        flows = [get_targets(model._validated(), [*wanted[model]]) for model in models]
        server = server_of(models[0]) if server_of else models[0]
        lists = yield Elsewhere(models[0], markers.around(server, schemas, flows, models[0]))
        for model, targets in zip(models, lists, strict=True):
            found[model].update(zip(wanted[model], targets, strict=True))


def _by_server(models: list[Any], server_of: ServerOf | None) -> list[list[Any]]:
    """Return models in groups that can share a round trip: of one server, all cached or none."""
    if server_of is None or len(models) == 1:
        return [[model] for model in models]
    groups: dict[tuple[int, bool], list[Any]] = {}
    for model in models:
        groups.setdefault((id(server_of(model)), model.CLIENT_SIDE_CACHE > 0), []).append(model)
    return [*groups.values()]


def _attach(links: list[Link], found: Targets, visited: set[int]) -> list[Any]:
    """Set the targets of links; return the targets that were not visited yet."""
    unvisited = []
    for obj, name, data in links:
        targets = data.attach(found[data.foreignModel])
        if name is not None and targets:
            # Later reads are plain attribute reads.
            obj.__dict__[name] = targets[0]
        for target in targets:
            if id(target) not in visited:
                visited.add(id(target))
                unvisited.append(target)
    return unvisited
