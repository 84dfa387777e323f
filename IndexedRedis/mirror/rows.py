"""From the rows of one select to the objects of one model, one after the other.

The rule: a row is converted when the reset asks for its object. So the targets of its links have a
pk already, or get one in the same block. A row that links to a later row of its own model waits for
that row.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from .. import IR_NULL_STR, getDefaultIREncoding, irNull, tobytes
from ..errors import FieldValueError
from .conversions import comes_back
from .guards import ModelCounts
from .key_map import KeyMap
from .layout import Layout, Link
from .source import Source

__all__ = ('CircleError', 'RowConverter')

# Every value of so many rows is read back from its stored form.
FIRST_ROWS = 100
# How many combinations of types are remembered: a null is a type too.
MAX_KINDS = 10_000


class CircleError(Exception):
    """Rows link to each other in a circle, which only a full swap can store."""


class RowConverter:
    """Makes the objects of one model.

    :param layout: what the columns mean
    :param counts: counts rows and links that do not fit
    :param find: returns what a link to a key of a model leads to, or None
    :param key_maps: the keys of all models that links lead to, or whose keys must be unique
    :param dangling: what happens to a link that leads to no row
    :param circles: whether rows may link to each other in a circle
    :param encode: whether to encode each value too, to find those without a stored form
    """

    def __init__(
        self,
        source: Source,
        layout: Layout,
        counts: ModelCounts,
        find: Callable[[Source, Any], Any],
        key_maps: Mapping[Source, KeyMap],
        dangling: str,
        circles: bool = True,
        encode: bool = False,
    ) -> None:
        self._source, self._layout, self._counts = source, layout, counts
        self._find, self._key_maps, self._keys = find, key_maps, key_maps.get(source)
        self._dangling, self._circles, self._encodes = dangling, circles, encode
        self._own_links = [link for link in layout.links if link.target is source]
        self._other_links = [link for link in layout.links if link.target is not source]
        #: rows that wait, by the key that they wait for
        self._waiting: dict[Any, list[Any]] = {}
        #: keys of the rows that still wait when all rows were read; None while reading
        self._late_keys: set[Any] | None = None
        #: dangling links that were counted, since a late row may be tried twice
        self._counted: set[tuple[str, Any]] = set()
        #: how many rows were read back, the types of such rows, the types of each field in them
        self._read_back = 0
        self._types: set[tuple[type, ...]] = set()
        self._kinds: set[tuple[str, type]] = set()

    def objects(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Yield the objects of these rows, and of rows that waited for them."""
        for row in rows:
            yield from self._offer(row)

    def late_objects(self) -> Iterator[Any]:
        """Yield the objects of the rows that still wait when all rows were read.

        :raises CircleError: if they link to each other in a circle, and must not
        """
        before = -1
        while self._waiting and before != (before := sum(map(len, self._waiting.values()))):
            for row in self._take_waiting():
                yield from self._offer(row)
        if self._waiting:
            if not self._circles:
                raise CircleError(f'{self._source.name}: rows link to each other in a circle.')
            yield from self._circle(self._take_waiting())

    def _take_waiting(self) -> list[Any]:
        rows = [row for waiting in self._waiting.values() for row in waiting]
        self._waiting = {}
        self._late_keys = {self._key_of(row) for row in rows}
        return rows

    def _key_of(self, row: Any) -> Any:
        return None if self._layout.key is None else row[self._layout.key]

    def _offer(self, row: Any) -> Iterator[Any]:
        """Yield the object of a row, and those of the rows that waited for it."""
        queue = deque([row])
        while queue:
            row = queue.popleft()
            try:
                obj = self._make(row)
            except TypeError:
                if not self._count_unhashable(row):
                    raise
                obj = None
            if obj is None:
                continue
            if self._keys is not None:
                key = self._key_of(row)
                self._keys.add(key, obj)
                queue.extend(self._waiting.pop(key, ()))
            yield obj

    def _make(self, row: Any) -> Any:
        """Return the object of a row; None if it has to wait, or does not fit."""
        key = self._key_of(row)
        links: dict[str, Any] = {}
        if not self._is_new(key) or self._has_to_wait(row, key):
            return None
        for link in self._layout.links:
            value = row[link.column]
            if link.target is self._source and value is not None and value == key:
                continue  # a link to the object itself: _build sets it
            links[link.field] = self._link(link, value, key)
            if links[link.field] is None:
                self._counts.skipped += 1
                return None
        return self._build(row, key, links)

    def _count_unhashable(self, row: Any) -> bool:
        """Count a row whose key, or that of a link, is a list or the like; return whether it is."""
        layout = self._layout
        keys = [] if layout.key is None else [(str(self._source.key), layout.key)]
        for name, column in [*keys, *((link.field, link.column) for link in layout.links)]:
            value = row[column]
            try:
                hash(value)
            except TypeError:
                of = '' if column == layout.key else f'row {self._key_of(row)!r}: '
                self._counts.add_bad(
                    f'{of}{self._source.name}.{name}: a {type(value).__name__} identifies no row; '
                    f'given was {repr(value)[:100]}. Select a number or a text'
                )
                return True
        return False

    def _is_new(self, key: Any) -> bool:
        """Return whether a row with this key can be stored; count it otherwise."""
        if self._keys is None:
            return True
        if key is None:
            self._counts.add_bad(f'a row whose key, {self._source.key}, is null')
        elif key in self._keys:
            self._counts.add_bad(f'a second row with the key {key!r}')
        return key is not None and key not in self._keys

    def _has_to_wait(self, row: Any, key: Any) -> bool:
        """Keep a row that links to a later row of its own model; return whether it does."""
        values = [row[link.column] for link in self._own_links]
        missing = [
            value
            for value in values
            if value is not None and value != key and value not in self._key_maps[self._source]
        ]
        if self._late_keys is not None:
            late = [value for value in missing if value in self._late_keys]
            if len(late) < len(missing) and self._dangling == 'skip':
                return False
            missing = late
        if missing:
            self._waiting.setdefault(missing[0], []).append(row)
        return bool(missing)

    def _link(self, link: Link, value: Any, key: Any) -> Any:
        """Return what to assign to a link field; None if the row is to be skipped."""
        if value is None:
            return irNull
        target = value if link.target is None else self._find(link.target, value)
        if target is not None:
            return target
        if (link.field, key) not in self._counted or key is None:
            row = '' if key is None else f' in the row {key!r}'
            self._counts.add_dangling(f'{link.field} = {value!r}{row}')
            if self._late_keys is not None:
                self._counted.add((link.field, key))
        return None if self._dangling == 'skip' else irNull

    def _build(self, row: Any, key: Any, links: Mapping[str, Any]) -> Any:
        """Return the object of a row; None if a value does not fit, which is counted."""
        values = dict(links)
        name = ''
        try:
            for column, name, convert in self._layout.feeds:
                value = row[column]
                values[name] = irNull if value is None else convert(value) if convert else value
            name = ''  # errors of the model name their field
            obj = self._source.model(**values)
            self._check(obj, row)
        except FieldValueError as error:
            text = f'{self._source.name}.{name}: {error}' if name else str(error)
            self._counts.add_bad(text if key is None else f'row {key!r}: {text}')
            return None
        for link in self._own_links:
            if link.field not in links:
                setattr(obj, link.field, obj)
        return obj

    def _check(self, obj: Any, row: Any) -> None:
        """Check that values have a stored form, and that it can be read back.

        Each value of the first rows is read back, and later the first of each type of a column.

        :raises FieldValueError: if one has none, or reads as another value
        """
        types = tuple(map(type, row))
        known = types in self._types and self._read_back >= FIRST_ROWS
        if known and not self._encodes:
            return
        for feed in self._layout.feeds:
            field, value = self._source.fields[feed.field], getattr(obj, feed.field)
            stored = self._stored(field, value)
            kind = (feed.field, type(row[feed.column]))
            if not known and (self._read_back < FIRST_ROWS or kind not in self._kinds):
                self._compare(field, value, stored)
                self._kinds.add(kind)
        self._read_back += 1
        if len(self._types) < MAX_KINDS:
            self._types.add(types)

    def _stored(self, field: Any, value: Any) -> bytes:
        """Return the stored form of a value.

        :raises FieldValueError: if it has none
        """
        try:
            stored = field.toStorage(value)
            if isinstance(stored, str) and stored != IR_NULL_STR:
                return stored.encode(field.storageEncoding or getDefaultIREncoding())
            return tobytes(stored if isinstance(stored, (str, bytes)) else str(stored))
        except (ValueError, TypeError) as error:
            name = f'{self._source.name}.{field.name}'
            raise FieldValueError(f'{name}: the value has no stored form: {error}') from None

    def _compare(self, field: Any, value: Any, stored: bytes) -> None:
        """Compare a value with what its stored form reads as.

        :raises FieldValueError: if they differ
        """
        try:
            back = field.fromStorage(stored)
            if comes_back(value, back, lambda: self._stored(field, back) == stored):
                return
            problem = f'reads as {back!r}'
        except Exception as error:  # a field type may raise anything
            problem = f'cannot be read: {error}'
        raise FieldValueError(
            f'{self._source.name}.{field.name}: {value!r} does not come back: its stored form '
            f'{stored!r} {problem}. Use another field.'
        )

    def _circle(self, rows: list[Any]) -> Iterator[Any]:
        """Yield the objects of rows that wait for each other, linked once all are made."""
        made: dict[Any, tuple[Any, Any]] = {}
        nulls = {link.field: irNull for link in self._own_links}
        for row in rows:
            key = self._key_of(row)
            if key in made or not self._is_new(key):
                continue
            links = {
                link.field: self._link(link, row[link.column], key) for link in self._other_links
            }
            obj = None if None in links.values() else self._build(row, key, links | nulls)
            if obj is not None:
                made[key] = obj, row
        for key, (obj, row) in made.items():
            for link in self._own_links:
                value = row[link.column]
                target = made[value][0] if value in made else self._link(link, value, key)
                setattr(obj, link.field, irNull if target is None else target)
        for key, (obj, _) in made.items():
            if self._keys is not None:
                self._keys.add(key, obj)
            yield obj
