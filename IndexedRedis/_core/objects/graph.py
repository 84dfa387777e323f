"""What an object links to: targets in memory, and all that can be reached from them."""

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
