"""From the rows of one select to the objects of one model, one after the other.

The rule: a row is converted when the reset asks for its object. So the targets of its links have a
pk already, or get one in the same block. A row that links to a later row of its own model waits for
that row.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import NoneType
from typing import Any

from .. import IR_NULL_STR, getDefaultIREncoding, tobytes
from ..errors import FieldValueError
from .conversions import comes_back
from .guards import ModelCounts
from .keys.key_map import KeyMap
from .keys.links import ITSELF, Links
from .keys.reading import Reader, no_key
from .keys.stored import StoredKeys, StoredPks
from .layout import Layout
from .source import Source

__all__ = ('CircleError', 'RowConverter')

# Every value of so many rows is read back from its stored form.
FIRST_ROWS = 100
# How many combinations of types are remembered: a null is a type too.
MAX_KINDS = 10_000

# The columns whose values have to be converted, their fields and what converts them.
Conversions = list[tuple[int, str, Callable[[Any], Any]]]


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
    :param kept: the pks that rows keep; None if all get new ones
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
        kept: StoredPks | None = None,
    ) -> None:
        self._source, self._layout, self._counts = source, layout, counts
        self._keys, self._circles, self._encodes = key_maps.get(source), circles, encode
        self._links = Links(source, layout.links, counts, find, key_maps, dangling)
        self._dangling, self._kept, self._stored_keys = dangling, kept, StoredKeys(source)
        self._new = source.model._maker([*layout.fields, *self._links.fields])
        self._key_of: Reader = layout.key_of or (lambda row: None)
        #: rows that wait, by the key that they wait for
        self._waiting: dict[Any, list[Any]] = {}
        #: keys of the rows that still wait when all rows were read; None while reading
        self._late_keys: set[Any] | None = None
        #: how many rows were read back, and the types of each field in them
        self._read_back = 0
        self._kinds: set[tuple[str, type]] = set()
        #: what rows of certain types need, if such a row was read back
        self._known: dict[tuple[type, ...], Conversions] = {}

    def objects(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Yield the objects of these rows, and of rows that waited for them."""
        for row in rows:
            obj = self._make(row)
            if obj is not None:
                yield obj
                if self._waiting:
                    yield from self._released_by(row)

    def _released_by(self, row: Any) -> Iterator[Any]:
        """Yield the objects of the rows that waited for that of a row."""
        queue = deque(self._waiting.pop(self._key_of(row), ()))
        while queue:
            row = queue.popleft()
            obj = self._make(row)
            if obj is not None:
                queue.extend(self._waiting.pop(self._key_of(row), ()))
                yield obj

    def late_objects(self) -> Iterator[Any]:
        """Yield the objects of the rows that still wait when all rows were read.

        :raises CircleError: if they link to each other in a circle, and must not
        """
        before = -1
        while self._waiting and before != (before := sum(map(len, self._waiting.values()))):
            yield from self.objects(self._take_waiting())
        if self._waiting:
            if not self._circles:
                raise CircleError(f'{self._source.name}: rows link to each other in a circle.')
            yield from self._circle(self._take_waiting())

    def _take_waiting(self) -> list[Any]:
        rows = [row for waiting in self._waiting.values() for row in waiting]
        self._waiting = {}
        self._late_keys = {self._key_of(row) for row in rows}
        self._links.counted = self._links.counted or set()
        return rows

    def _make(self, row: Any) -> Any:
        """Return the object of a row; None if it has to wait, or does not fit."""
        key = self._key_of(row)
        if self._keys is not None and not self._is_new(key, self._keys):
            return None
        try:
            if self._links.own and self._has_to_wait(row, key):
                return None
            links = self._links.of(row, key)
            obj = None if links is None else self._build(row, links)
        except FieldValueError as error:
            self._counts.add_bad(str(error) if key is None else f'row {key!r}: {error}')
            return None
        if obj is not None and self._keys is not None:
            if not self._is_distinct(obj, key, self._keys):
                return None
            self._keys.add(key, obj)
        return obj

    def _is_new(self, key: Any, keys: KeyMap) -> bool:
        """Return whether a row with this key can be stored; count it otherwise."""
        try:
            if key is None:
                self._counts.add_bad(f'a row whose key, {self._source.shown_key}, is null')
            elif key in keys or key in self._links.circle:
                self._counts.add_bad(f'a second row with the key {key!r}')
            else:
                return True
        except TypeError:
            label = f'{self._source.name}.{self._source.shown_key}'
            self._counts.add_bad(no_key(label, key))
        return False

    def _is_distinct(self, obj: Any, key: Any, keys: KeyMap) -> bool:
        """Return whether the key is one of its own as it is stored, too; count it otherwise.

        Note the pk that the object keeps.
        """
        stored = self._stored_keys.of(obj)
        problem = self._stored_keys.problem(stored, key, keys)
        if problem:
            self._counts.add_bad(problem)
        elif self._kept is not None and (pk := self._kept.take(stored)):
            obj._id = pk
        return not problem

    def _has_to_wait(self, row: Any, key: Any) -> bool:
        """Keep a row that links to a later row of its own model; return whether it does."""
        values = [value for link in self._links.own for value in self._links.keys_in(link, row)]
        missing = [
            value
            for value in values
            if value is not None and value != key and not self._is_known(value)
        ]
        if self._late_keys is not None:
            late = [value for value in missing if value in self._late_keys]
            if len(late) < len(missing) and self._dangling == 'skip':
                return False
            missing = late
        if missing:
            self._waiting.setdefault(missing[0], []).append(row)
        return bool(missing)

    def _is_known(self, key: Any) -> bool:
        try:
            return self._keys is not None and key in self._keys
        except TypeError:
            return True  # a key that cannot be compared is not waited for, but refused

    def _build(self, row: Any, links: Sequence[Any]) -> Any:
        """Return the object of a row.

        :param links: what to assign to the link fields
        :raises FieldValueError: if a value does not fit
        """
        types = tuple(map(type, row))
        known = self._known.get(types)
        conversions = self._conversions(types) if known is None else known
        values = [*row, *links]
        own = self._links.take_itself(values) if self._links.own else ()
        for column, name, convert in conversions:
            try:
                values[column] = convert(row[column])
            except FieldValueError as error:
                raise FieldValueError(f'{self._source.name}.{name}: {error}') from None
        obj = self._new(values)
        if known is None or self._encodes or self._read_back < FIRST_ROWS:
            self._check(obj, row)
            if len(self._known) < MAX_KINDS:
                self._known[types] = conversions
        for name, value in own:
            itself = value is ITSELF
            setattr(obj, name, obj if itself else [obj if v is ITSELF else v for v in value])
        return obj

    def _conversions(self, types: Sequence[type]) -> Conversions:
        """Return what rows with values of these types need."""
        return [
            (column, name, conversion.convert)
            for column, name, conversion in self._layout.feeds
            if conversion is not None
            and types[column] is not NoneType
            and issubclass(types[column], conversion.types)
        ]

    def _check(self, obj: Any, row: Any) -> None:
        """Check that values have a stored form, and that it can be read back.

        Each value of the first rows is read back, and later the first of each type of a column.

        :raises FieldValueError: if one has none, or reads as another value
        """
        for feed in self._layout.feeds:
            field, value = self._source.fields[feed.field], getattr(obj, feed.field)
            stored = self._stored(field, value)
            kind = (feed.field, type(row[feed.column]))
            if self._read_back < FIRST_ROWS or kind not in self._kinds:
                self._compare(field, value, stored)
                self._kinds.add(kind)
        self._read_back += 1

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
        made: list[tuple[Any, Any, Any]] = []
        assert self._keys is not None  # rows that link to their own model have a key
        for row in rows:
            key = self._key_of(row)
            if not self._is_new(key, self._keys):
                continue
            try:
                links = self._links.linked(self._links.others, row, key)
                obj = None if links is None else self._build(row, self._links.in_order(links))
            except FieldValueError as error:
                self._counts.add_bad(f'row {key!r}: {error}')
                continue
            if obj is not None and self._is_distinct(obj, key, self._keys):
                self._links.circle[key] = obj
                made.append((key, obj, row))
        for key, obj, row in made:
            own = self._links.linked(self._links.own, row, key) or {}
            for name, value in own.items():
                setattr(obj, name, value)
        self._links.circle = {}
        for key, obj, _ in made:
            self._keys.add(key, obj)
            yield obj
