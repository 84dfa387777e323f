"""Following links: one batch for each level and model, not one round trip for each object."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..errors import UnreadableValueError
from ..fields.null import irNull
from .compare import schema_of
from .plan import Elsewhere, Flow
from .read import get_many
from .state import value_of

__all__ = ('cascade_fetch', 'fetch_linked', 'fetch_linked_of_one')

Target = tuple[Any, int]


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
