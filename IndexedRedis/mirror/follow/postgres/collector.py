"""Transactions, put together from the events of the log.

The rule: of a row only the values of wanted columns stay, and of one transaction at most
``MOST_ROWS`` of them: memory is bounded, also for streamed transactions.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ..log import MOST_ROWS, Commit, Tables
from .pgoutput import (
    UNCHANGED,
    Begin,
    Delete,
    End,
    Event,
    Insert,
    Relation,
    Row,
    StreamAbort,
    StreamStart,
    StreamStop,
    Truncate,
    Type,
    Update,
)
from .values import KEY_TYPES, Read, reader_of

__all__ = ('Collector', 'Place')

# Until the commit is read.
_LATER = datetime.max.replace(tzinfo=UTC)
_Values = tuple[Any, ...]


class Place(NamedTuple):
    """Where the commit of a transaction stands in the log."""

    begins: int
    ends: int


class _Followed(NamedTuple):
    """A wanted table: how the values of its wanted columns are read from a row."""

    name: str
    readers: tuple[tuple[int, Read], ...]
    #: whether an update without an old row left the wanted columns as they were
    is_covered: bool

    def values(self, row: Row, old: Row | None = None) -> _Values | None:
        """Return the values of the wanted columns; None if the log does not have them."""
        values: list[Any] = []
        for number, read in self.readers:
            text = row[number]
            if text is UNCHANGED and old is not None:
                text = old[number]
            if text is UNCHANGED:
                return None
            values.append(None if text is None else read(text))
        return tuple(values)


class Collector:
    """Collects the changes of each transaction until its commit.

    :param tables: the wanted tables and columns
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._types: dict[int, str] = {}
        # A table whose wanted columns cannot be read is known by its name alone.
        self._followed: dict[int, _Followed | str] = {}
        self._now = _new(0)
        self._streamed: dict[int, Commit] = {}

    def feed(self, event: Event) -> Commit | None:
        """Take the next event; return the transaction that it commits, if it changed anything."""
        match event:
            case Insert(number, new):
                self._change(number, None, new, True)
            case Update(number, old, new):
                self._change(number, old, new, False)
            case Delete(number, old):
                self._change(number, old, None, False)
            case Truncate(numbers):
                self._truncate(numbers)
            case Relation():
                self._describe(event)
            case Type(number, 'pg_catalog', name):
                self._types[number] = name
            case Begin(xid):
                self._now = _new(xid)
            case StreamStart(xid):
                self._now = self._streamed.setdefault(xid, _new(xid))
            case StreamStop():
                self._now = _new(0)
            case StreamAbort(xid, part) if xid == part:
                # Of a subtransaction the changes stay: rows are read again, so they do no harm.
                self._streamed.pop(xid, None)
            case End():
                return self._end(event)
        return None

    def _end(self, event: End) -> Commit | None:
        commit = self._now if event.xid is None else self._streamed.pop(event.xid)
        self._now = _new(0)
        commit.end, commit.at = Place(event.begins, event.ends), event.at
        return commit if commit.touched or commit.whole else None

    def _describe(self, relation: Relation) -> None:
        name = f'{relation.schema}.{relation.name}'
        if (wanted := self._tables.get(name)) is None:
            return
        columns = {column.name: (at, column) for at, column in enumerate(relation.columns)}
        found = [columns[column] for column in wanted if column in columns]
        readers = [(at, self._reader(column.type)) for at, column in found]
        known = tuple((at, read) for at, read in readers if read)
        covered = all(column.is_key for _, column in found)
        complete = len(known) == len(wanted)
        self._followed[relation.id] = _Followed(name, known, covered) if complete else name

    def _reader(self, number: int) -> Read | None:
        named = KEY_TYPES.get(self._types.get(number, ''))
        return named[1] if named else reader_of(number)

    def _truncate(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            if table := self._followed.get(number):
                self._whole(table if isinstance(table, str) else table.name)

    def _change(self, number: int, old: Row | None, new: Row | None, is_known: bool) -> None:
        """Note the values of a row before and after its change.

        :param is_known: whether it had no values before that the log may lack
        """
        if (table := self._followed.get(number)) is None:
            return
        self._now.changes += 1
        if isinstance(table, str) or not (is_known or table.is_covered):
            self._whole(table if isinstance(table, str) else table.name)
        elif table.name not in self._now.whole:
            before = () if old is None else table.values(old)
            after = () if new is None else table.values(new, old)
            rows = self._now.touched.setdefault(table.name, set())
            rows.update(values for values in (before, after) if values)
            if before is None or after is None or len(rows) > MOST_ROWS:
                self._whole(table.name)

    def _whole(self, name: str) -> None:
        self._now.touched.pop(name, None)
        self._now.whole.add(name)


def _new(xid: int) -> Commit:
    return Commit(xid, None, _LATER)
