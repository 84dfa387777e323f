"""The pks that a reset assigns to objects, and the rows that it stages for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from weakref import ref

from ..column import EMPTY
from ..mapping.encoder import StoredRow
from ..mapping.schema import Schema
from ..objects.state import confirm_row

__all__ = ('Promises',)


Rows = Sequence[StoredRow]

Noted = Sequence[Mapping[str, Any]]


class _Ref(ref):  # type: ignore[type-arg]
    """A weak reference with the ``id()`` of its object, and with what was staged for it.

    ``weakref.KeyedRef`` would take five times as long.
    """

    __slots__ = ('number', 'staged')
    number: int
    staged: tuple[Schema, StoredRow, Mapping[str, Any]] | None


class Promises:
    """The pks of objects until the swap confirms them.

    Holds weak references, so objects that the caller dropped can be collected.
    """

    def __init__(self) -> None:
        #: pks by the ``id()`` of the object, for objects that are alive
        self.pks: dict[int, int] = {}
        self._refs: dict[int, _Ref] = {}
        #: staged chunks of lists; a tuple of many objects is one object for the garbage collector
        self._held: list[tuple[Sequence[Any], Schema, Rows, Noted]] = []

    def assign(self, obj: Any, pk: int, held: bool = False) -> None:
        """Assign a pk to an object.

        :param held: whether the caller holds the object, so that no weak reference is needed
        """
        self.pks[id(obj)] = pk
        if not held:
            watch = self._refs[id(obj)] = _Ref(obj, self._forget)
            watch.number, watch.staged = id(obj), None

    def _forget(self, watch: _Ref) -> None:
        # Another object may get the same id.
        self.pks.pop(watch.number, None)
        self._refs.pop(watch.number, None)

    def is_staged(self, obj: Any) -> bool:
        """Whether an object was staged already."""
        watch = self._refs.get(id(obj))
        return watch is not None and watch.staged is not None

    def stage(self, objs: Sequence[Any], schema: Schema, rows: Rows, values: Noted) -> None:
        """Note that objects were staged. References to objects of a generator are weak.

        :param values: for each object the result of :func:`~.state.assigned` before it was encoded
        """
        if self._refs.keys().isdisjoint(map(id, objs)):
            self._held.append((tuple(objs), schema, rows, values))
            return
        for obj, row, noted in zip(objs, rows, values, strict=True):
            watch = self._refs.get(id(obj))
            if watch is not None:
                watch.staged = (schema, row, noted)
            else:
                self._held.append(((obj,), schema, (row,), (noted,)))

    def confirm(self, drawn: Mapping[Schema, bytes] = EMPTY) -> None:
        """Mark the objects as saved under their pks.

        :param drawn: for each model the id of an incarnation that knows all of the pks
        """
        for number, watch in list(self._refs.items()):
            obj = watch()
            if obj is not None and watch.staged is not None:
                schema, row, values = watch.staged
                pk, known = self.pks[number], drawn.get(schema, b'')
                confirm_row(obj, pk, row, values, schema.columns, schema.plain, known)
        self._refs.clear()  # without a reference, no callback removes a pk
        for objs, schema, rows, noted in self._held:
            known = drawn.get(schema, b'')
            for obj, row, values in zip(objs, rows, noted, strict=True):
                pk = self.pks[id(obj)]
                confirm_row(obj, pk, row, values, schema.columns, schema.plain, known)
