"""The link graph in memory: the objects that an object links to. Nothing here fetches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ...fields.null import irNull

if TYPE_CHECKING:
    from ..mapping.schema import Schema

__all__ = ('reachable',)


def schema_of(obj: Any) -> Schema:
    """Return the schema of an object's model."""
    schema: Schema = type(obj)._validated()
    return schema


def linked(obj: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the links of an object that are set and decoded, as pairs of column and link data."""
    for column in schema_of(obj).links:
        data = obj.__dict__.get(column.slot, irNull)
        if data is not irNull:
            yield column, data


def reachable(objs: Iterable[Any], visited: set[int] | None = None) -> list[Any]:
    """Return ``objs`` and the objects in memory that their links lead to, targets first.

    :param objs: where to start
    :param visited: the ``id()`` of objects to leave out, with all that only they lead to
    """
    found: list[Any] = []
    visited = set() if visited is None else visited
    # A stack instead of recursion: a chain of links may be longer than Python's recursion limit.
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


def knows_targets(objs: Iterable[Any]) -> bool:
    """Return whether any of these objects links to an object in memory.

    Links by pk do not: without others, :func:`reachable` finds nothing but ``objs``.
    """
    slots: dict[type, list[str]] = {}
    for obj in objs:
        model = type(obj)
        if model not in slots:
            slots[model] = [column.slot for column in schema_of(obj).links]
        values = obj.__dict__
        for slot in slots[model]:
            data = values.get(slot, irNull)
            if data is not irNull and data.obj is not None and data.known():
                return True
    return False


def children(obj: Any) -> list[Any]:
    """Return the objects in memory that this one links to."""
    return [target for _, data in linked(obj) for target in data.known()]
