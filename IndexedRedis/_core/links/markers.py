"""Whether objects and what they link to were read from one data set.

A reset that replaces rows in place writes the same swap marker for all of its models in one moment.
A call that reads several models reads the marker of each along with its first rows, and all of them
again along with the last. If one has changed, the call reads everything anew. Of a model with
partitions, the pointer to its edition is such a marker.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from ..flows import Batch, Elsewhere, Flow
from ..mapping.schema import Schema
from ..overlap import counted, together

__all__ = ('SwapMarkers',)

T = TypeVar('T')


class SwapMarkers:
    """The markers that one call has read, by server and key."""

    def __init__(self) -> None:
        self._first: dict[Any, dict[bytes, Any]] = {}
        # Servers whose markers have to be read again, with a model there; None: that of the flow.
        self._unconfirmed: dict[Any, Any] = {}
        self._reads = 0
        #: whether one has changed since it was read first
        self.changed = False

    def around(
        self,
        server: Any,
        schemas: Sequence[Schema],
        flows: Sequence[Flow[T]],
        model: Any = None,
    ) -> Flow[list[T]]:
        """Run flows that read from a server; return their results.

        :param server: any object that stands for the server
        :param schemas: those of the models that the flows read
        :param model: a model of the server; None: it is the one that the call runs on
        """
        self._reads += 1
        if all(schema.partitions for schema in schemas):
            return (yield from self._around_parts(server, schemas, flows, model))
        keys = [_marker(schema) for schema in schemas]
        seen = self._first.setdefault(id(server), {})
        again = list(dict.fromkeys([*seen, *keys]))
        trips: list[None] = []
        # Both in the trip of the rows: the replies come in the order of the commands.
        reads: list[Flow[Any]] = [_get(keys), *flows, _get(again)]
        before, *results, after = yield from counted(together(reads), trips)
        if len(trips) > 1:
            after = yield from _get(again)
        for key, marker in zip(keys, before, strict=True):
            self.changed |= seen.setdefault(key, marker) != marker
        self.changed |= [seen[key] for key in again] != after
        self._unconfirmed.pop(id(server), None)
        return results

    def _around_parts(
        self, server: Any, schemas: Sequence[Schema], flows: Sequence[Flow[T]], model: Any
    ) -> Flow[list[T]]:
        """Run flows that read models with partitions.

        A pointer never goes back. So if it still names at the end the edition that this process
        knew at the beginning, all was read from that.
        """
        from ..partitions.editions.known import known

        seen = self._first.setdefault(id(server), {})
        unknown = []
        for schema in schemas:
            edition = known(schema)
            if edition is not None:
                seen.setdefault(_marker(schema), edition.text())
            elif _marker(schema) not in seen:
                unknown.append(_marker(schema))
        seen.update(zip(unknown, (yield from _get(unknown)) if unknown else (), strict=True))
        self._unconfirmed[id(server)] = model
        return (yield from together(flows))

    def confirm(self) -> Flow[None]:
        """Read the markers again that were not read after the last rows."""
        if self._reads < 2:
            return  # what one flow reads is of one data set
        for server, model in self._unconfirmed.items():
            seen = self._first[server]
            look = _get([*seen])
            after = yield from (look if model is None else _at(model, look))
            self.changed |= after != [*seen.values()]
        self._unconfirmed.clear()


def _marker(schema: Schema) -> bytes:
    """Return the key that has another value after a reset replaced data of a model in place."""
    return schema.keys.edition if schema.partitions else schema.keys.swapped


def _at(model: Any, flow: Flow[Any]) -> Flow[Any]:
    return (yield Elsewhere(model, flow))


def _get(keys: Sequence[bytes]) -> Flow[list[Any]]:
    replies: list[Any] = yield Batch([('GET', key) for key in keys], shared=True)
    return replies
