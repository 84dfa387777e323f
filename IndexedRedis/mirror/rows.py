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
from .keys.key_map import KeyMap
from .keys.links import ITSELF, Links, has_itself
from .keys.reading import Reader, all_of, no_key
from .keys.stored import StoredKeys, StoredPks
from .layout import Layout
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
        plain = [feed for feed in layout.feeds if not feed.convert]
        self._plain_names = [feed.field for feed in plain]
        self._read_plain = all_of([feed.column for feed in plain])
        self._converted = [(*feed[:2], feed.convert) for feed in layout.feeds if feed.convert]
        self._key_of: Reader = layout.key_of or (lambda row: None)
        #: rows that wait, by the key that they wait for
        self._waiting: dict[Any, list[Any]] = {}
        #: keys of the rows that still wait when all rows were read; None while reading
        self._late_keys: set[Any] | None = None
        #: how many rows were read back, the types of such rows, the types of each field in them
        self._read_back = 0
        self._types: set[tuple[type, ...]] = set()
        self._kinds: set[tuple[str, type]] = set()

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
        name = self._source.shown_key
        try:
            if key is None:
                self._counts.add_bad(f'a row whose key, {name}, is null')
            elif key in keys or key in self._links.circle:
                self._counts.add_bad(f'a second row with the key {key!r}')
            else:
                return True
        except TypeError:
            self._counts.add_bad(no_key(f'{self._source.name}.{name}', key))
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

    def _build(self, row: Any, links: dict[str, Any]) -> Any:
        """Return the object of a row.

        :param links: what to assign to link fields; the values of the others are added
        :raises FieldValueError: if a value does not fit
        """
        late = [name for link in self._links.own if has_itself(links[name := link.field])]
        own = {name: links.pop(name) for name in late}
        values, name = links, ''
        plain: Any = self._read_plain(row)
        if None in plain:
            plain = [irNull if value is None else value for value in plain]
        values.update(zip(self._plain_names, plain, strict=True))
        try:
            for column, name, convert in self._converted:
                value = row[column]
                values[name] = irNull if value is None else convert(value)
            name = ''  # errors of the model name their field
            obj = self._source.model(**values)
            self._check(obj, row)
        except FieldValueError as error:
            text = f'{self._source.name}.{name}: {error}' if name else str(error)
            raise FieldValueError(text) from None
        for name, value in own.items():
            itself = value is ITSELF
            setattr(obj, name, obj if itself else [obj if v is ITSELF else v for v in value])
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
        made: list[tuple[Any, Any, Any]] = []
        assert self._keys is not None  # rows that link to their own model have a key
        for row in rows:
            key = self._key_of(row)
            if not self._is_new(key, self._keys):
                continue
            try:
                links = self._links.linked(self._links.others, row, key)
                nulls = {link.field: irNull for link in self._links.own}
                obj = None if links is None else self._build(row, links | nulls)
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
