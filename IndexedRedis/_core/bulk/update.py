"""Update the objects that match a query, in chunks: one script compares and moves each chunk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import FieldValueError, OutcomeUnknownError, UsageError
from ...fields.null import irNull
from ..column import Column
from ..expressions.matching import Matcher
from ..expressions.tree import columns_of
from ..flows import AnswerLost, Flow
from ..mapping.schema import Schema
from ..overlap import side_by_side
from ..queries.by_pk import rows_of
from ..queries.fetch import with_filtered
from ..queries.query import Query, primary_keys
from ..writes.acknowledging import acknowledge
from ..writes.compare_and_move import compare_and_move
from ..writes.entry import Entry, Mode
from ..writes.sizes import in_steps, update_us
from ..writes.unique import refuse_for_many
from .unfinished import recovering

__all__ = ('encoded', 'update_matching')


def encoded(schema: Schema, values: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the stored bytes of values by field name.

    :raises UsageError: if ``values`` is empty
    :raises FieldValueError: if a field cannot hold its value
    """
    if not values:
        raise UsageError(f'{schema.name}: update() sets nothing. Name fields: update(name=value).')
    return {name: _encoded(schema.columns[name], value) for name, value in values.items()}


def _encoded(column: Column, value: Any) -> bytes:
    converted = column.from_input(value)
    if column.is_link and converted is not irNull and None in converted.getPks():
        raise FieldValueError(f'{column.label}: the linked object is not saved. Save it first.')
    stored = column.encode(converted)
    if column.indexed:
        column.index_of(converted)
    return stored


def update_matching(query: Query, written: dict[str, bytes]) -> Flow[int]:
    """Write these values to the objects that match, in chunks; return how many were written.

    An object stays as it is if another process changes it so that it does not match: the script
    that writes compares the fields that the filters name.

    :param written: stored bytes by field name
    :raises OutcomeUnknownError: if a reply is lost, and the values decide what matches
    """
    update = _Update(query, written)
    yield from recovering(update.run)
    yield from acknowledge([query.schema])
    return len(update.done)


class _Update:
    def __init__(self, query: Query, written: dict[str, bytes]) -> None:
        self._query, self._written = query, written
        schema = query.schema
        compared = schema.compared(written)
        moved = [column for column in schema.indexed if column.name in compared]
        filtered = with_filtered(query, moved) if query.filters else moved
        #: the fields whose stored values the script compares
        self._compared = [column for column in filtered if column.indexed]
        self._matcher = Matcher(query.filters, self._compared)
        # Sent again, the script would find that the objects do not match.
        self._once = any(column.name in written for column in columns_of(query.filters))
        #: pks of the objects that are written
        self.done: set[int] = set()

    def run(self) -> Flow[None]:
        pks = yield from primary_keys(self._query, ordered=True)
        left = [pk for pk in pks if pk not in self.done]
        refuse_for_many(self._query.schema, self._written, len(pks))
        scores = sum(column.name in self._written for column in self._query.schema.sorted)
        us = update_us(len(self._written), len(self._compared), scores)
        try:
            yield from side_by_side(map(self._update_some, in_steps(left, lambda pk: us)))
        except AnswerLost:
            raise OutcomeUnknownError(
                f'{self._query.schema.name}: the connection broke during update(). '
                f'{len(self.done):,} of {len(pks):,} objects were updated; of the next ones it is '
                'unknown. Look at the stored values before you call it again.'
            ) from None

    def _update_some(self, pks: Sequence[int]) -> Flow[None]:
        schema, names = self._query.schema, [column.name for column in self._compared]
        rows: Sequence[Any] = [()] * len(pks)
        if names:
            rows = yield from rows_of(schema, pks, self._compared)
        entries = [
            Entry(schema, pk, Mode.UPDATE, self._written, dict(zip(names, row, strict=True)))
            for pk, row in zip(pks, rows, strict=True)
            if row is not None
        ]
        stored = yield from compare_and_move(
            list(filter(self._matches, entries)),
            gone_is_fine=True,
            once=self._once,
            still=self._matches,
            earlier='This object, and others of its chunk, are not updated; others may be.',
        )
        self.done.update(entry.pk for entry in stored)

    def _matches(self, entry: Entry) -> bool:
        return self._matcher.matches(entry.pk, [entry.expected[c.name] for c in self._compared])
