"""Many new objects at once: whole rows, stored by one script that looks first.

Nothing has to be compared, since nobody else should know their pks yet. Where somebody does (a
reset, or a save with a given pk, may bring pks that were drawn here), the script does nothing, and
the caller stores the same rows by comparing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from ..flows import Batch, Command, Flow
from ..mapping.index_keys import grouped_by_index
from ..mapping.schema import Schema
from ..objects.state import assigned, confirm_row
from .compare_and_move import FEW_FIELDS
from .entry import INSERT as MODE
from .entry import Entry, Reserved
from .insert_scripts import INSERT, INSERT_ONE
from .pks import reserve

__all__ = (
    'Draft',
    'insert_all',
)


class Draft:
    """New objects of one model, encoded.

    :param schema: the model
    :param objs: the objects
    :param reserved: pks that linked objects are about to get, by ``id()``
    :raises FieldValueError: if a value has no stored form
    """

    def __init__(self, schema: Schema, objs: Sequence[Any], reserved: Reserved) -> None:
        self.schema, self.objs = schema, objs
        # Before encoding, so that no assignment in between is missed.
        self._values = [assigned(obj) for obj in objs]
        self.rows = schema.encoder.rows(objs, reserved)
        self.pks = range(0)

    def draw_pks(self) -> Flow[None]:
        """Reserve a pk for each object."""
        count = len(self.objs)
        first = yield from reserve(self.schema, count)
        self.pks = range(first, first + count)

    def relink(self, reserved: Reserved) -> None:
        """Encode the links anew, now that the pks of their targets are known."""
        if self.schema.links:
            self.rows = self.schema.encoder.rows(self.objs, reserved)

    def entries(self) -> Iterator[Entry]:
        """The same rows as single entries."""
        columns = self.schema.columns
        for obj, pk, row, values in zip(self.objs, self.pks, self.rows, self._values, strict=True):
            expected = {column.name: None for column in self.schema.indexed}
            written = dict(zip(columns, row, strict=True))
            yield Entry(self.schema, pk, MODE, written, expected, obj, values)

    def confirm(self) -> None:
        """Note that all are stored."""
        for obj, pk, row, values in zip(self.objs, self.pks, self.rows, self._values, strict=True):
            confirm_row(obj, pk, row, values, self.schema.columns, self.schema.plain)


def insert_all(drafts: Sequence[Draft]) -> Flow[bool]:
    """Store all objects, whose pks are drawn, or none.

    :returns: whether that could be done
    :raises AnswerLost: where nobody knows
    """
    one = len(drafts) == 1 == len(drafts[0].objs) and len(drafts[0].schema.all) <= FEW_FIELDS
    command = _command_for_one(drafts[0]) if one else _command(drafts)
    (done,) = yield Batch([command], once=True)
    return bool(done)


def _command_for_one(draft: Draft) -> Command:
    schema, keys = draft.schema, draft.schema.keys
    (pk,), (row,) = draft.pks, draft.rows
    sets = grouped_by_index(schema, [b'%d' % pk], draft.rows)
    parts = chain.from_iterable(zip(schema.keys_of(schema.all), row, strict=True))
    return INSERT_ONE([keys.all, keys.lock, keys.touched, keys.data(pk), *sets], pk, *parts)


def _command(drafts: Sequence[Draft]) -> Command:
    names: list[bytes] = []
    args: list[Any] = [len(drafts)]
    for draft in drafts:
        schema, keys = draft.schema, draft.schema.keys
        pks = [b'%d' % pk for pk in draft.pks]
        sets = grouped_by_index(schema, pks, draft.rows)
        names += (keys.all, keys.lock, keys.touched)
        names += (keys.data_prefix + pk for pk in pks)
        names += sets
        args += (len(pks), len(sets), *pks, *schema.pack_rows(draft.rows))
        for members in sets.values():
            args.append(len(members))
            args += members
    return INSERT(names, *args)
