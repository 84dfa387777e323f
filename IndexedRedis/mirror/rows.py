"""From the rows of one select to the objects of one model, one after the other.

The rule: an object is made at the moment it is asked for, so that whatever was asked for before
has its pk already, or will have it in the same block. A row that links to a row of the same model
which has not come yet is kept back until it has.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .. import getDefaultIREncoding, irNull
from ..errors import FieldValueError
from .known import Known
from .layout import Layout, Link
from .problems import Tally
from .source import Source

__all__ = ('CircleError', 'Rows')


class CircleError(Exception):
    """Rows link to each other in a circle, which only a full swap can store."""


class Rows:
    """The objects of one model.

    :param layout: what the columns mean
    :param tally: takes in what was wrong
    :param known: the keys of all models that links lead to, or that need one
    :param dangling: what to do about links that lead to no row
    :param circles: whether rows may link to each other in a circle
    :param careful: whether to look at the stored form of each value, too
    """

    def __init__(
        self,
        source: Source,
        layout: Layout,
        tally: Tally,
        known: Mapping[Source, Known],
        dangling: str,
        circles: bool = True,
        careful: bool = False,
    ) -> None:
        self._source, self._layout, self._tally = source, layout, tally
        self._known, self._mine = known, known.get(source)
        self._dangling, self._circles, self._careful = dangling, circles, careful
        self._own = [link for link in layout.links if link.target is source]
        self._others = [link for link in layout.links if link.target is not source]
        self._waiting: dict[Any, list[Any]] = {}
        # Keys of the rows that still wait when all have come; None as long as more may come.
        self._present: set[Any] | None = None
        self._told: set[tuple[str, Any]] = set()

    def objects(self, rows: Iterable[Any]) -> Iterator[Any]:
        """The objects that these rows make, as they can be linked."""
        for row in rows:
            yield from self._offer(row)

    def late(self) -> Iterator[Any]:
        """When all rows have come: the objects of those that were kept back.

        :raises CircleError: if they link to each other in a circle, and must not
        """
        before = -1
        while self._waiting and before != (before := self._count()):
            rows = self._take_waiting()
            for row in rows:
                yield from self._offer(row)
        if self._waiting:
            if not self._circles:
                raise CircleError(f'{self._source.name}: rows link to each other in a circle.')
            yield from self._circle(self._take_waiting())

    def _count(self) -> int:
        return sum(map(len, self._waiting.values()))

    def _take_waiting(self) -> list[Any]:
        rows = [row for each in self._waiting.values() for row in each]
        self._waiting = {}
        self._present = {self._key_of(row) for row in rows}
        return rows

    def _key_of(self, row: Any) -> Any:
        return None if self._layout.key is None else row[self._layout.key]

    def _offer(self, row: Any) -> Iterator[Any]:
        """The object of a row, and those of the rows that waited for it."""
        queue = deque([row])
        while queue:
            row = queue.popleft()
            obj = self._make(row)
            if obj is None:
                continue
            if self._mine is not None:
                key = self._key_of(row)
                self._mine.add(key, obj)
                queue.extend(self._waiting.pop(key, ()))
            yield obj

    def _make(self, row: Any) -> Any:
        """The object of a row; None if it makes none, or has to wait."""
        key = self._key_of(row)
        links: dict[str, Any] = {}
        if not self._key_is_new(key) or self._has_to_wait(row, key):
            return None
        for link in self._layout.links:
            value = row[link.place]
            if link.target is self._source and value is not None and value == key:
                continue  # to itself
            links[link.name] = self._link(link, value, key)
            if links[link.name] is None:
                self._tally.skipped += 1
                return None
        return self._build(row, key, links)

    def _key_is_new(self, key: Any) -> bool:
        if self._mine is None:
            return True
        if key is None:
            self._tally.note_bad(f'a row whose key, {self._source.key}, is null')
        elif key in self._mine:
            self._tally.note_bad(f'a second row with the key {key!r}')
        return key is not None and key not in self._mine

    def _has_to_wait(self, row: Any, key: Any) -> bool:
        missing = [row[link.place] for link in self._own]
        missing = [
            value
            for value in missing
            if value is not None and value != key and value not in self._known[self._source]
        ]
        if self._present is not None:
            here = [value for value in missing if value in self._present]
            if len(here) < len(missing) and self._dangling == 'skip':
                return False
            missing = here
        if missing:
            self._waiting.setdefault(missing[0], []).append(row)
        return bool(missing)

    def _link(self, link: Link, value: Any, key: Any) -> Any:
        """What to assign to a link field; None if the row is to be skipped."""
        if value is None:
            return irNull
        found = value if link.target is None else self._known[link.target].find(value)
        if found is not None:
            return found
        if (link.name, key) not in self._told or key is None:
            row = '' if key is None else f' in the row {key!r}'
            self._tally.note_dangling(f'{link.name} = {value!r}{row}')
            if self._present is not None:
                self._told.add((link.name, key))
        return None if self._dangling == 'skip' else irNull

    def _build(self, row: Any, key: Any, links: Mapping[str, Any]) -> Any:
        values = dict(links)
        for place, name, convert in self._layout.feeds:
            value = row[place]
            values[name] = irNull if value is None else convert(value) if convert else value
        try:
            obj = self._source.model(**values)
            if self._careful:
                self._encode(obj)
        except FieldValueError as error:
            text = str(error)
            self._tally.note_bad(text if key is None else f'row {key!r}: {text}')
            return None
        for link in self._own:
            if link.name not in links:
                setattr(obj, link.name, obj)
        return obj

    def _encode(self, obj: Any) -> None:
        """Make sure that values have a stored form, which is otherwise found out later."""
        for feed in self._layout.feeds:
            field = self._source.fields[feed.name]
            try:
                stored = field.toStorage(getattr(obj, feed.name))
                if isinstance(stored, str):
                    stored.encode(field.storageEncoding or getDefaultIREncoding())
            except (ValueError, TypeError) as error:
                place = f'{self._source.name}.{feed.name}'
                raise FieldValueError(f'{place}: it has no stored form: {error}') from None

    def _circle(self, rows: list[Any]) -> Iterator[Any]:
        """Rows that wait for each other: their objects are linked when all are there."""
        made: dict[Any, tuple[Any, Any]] = {}
        for row in rows:
            key = self._key_of(row)
            if key in made or not self._key_is_new(key):
                continue
            links = {link.name: self._link(link, row[link.place], key) for link in self._others}
            obj = None if None in links.values() else self._build(row, key, links | self._nulls())
            if obj is not None:
                made[key] = obj, row
        for key, (obj, row) in made.items():
            for link in self._own:
                value = row[link.place]
                target = made[value][0] if value in made else self._link(link, value, key)
                setattr(obj, link.name, irNull if target is None else target)
        for key, (obj, _) in made.items():
            if self._mine is not None:
                self._mine.add(key, obj)
            yield obj

    def _nulls(self) -> dict[str, Any]:
        return {link.name: irNull for link in self._own}
