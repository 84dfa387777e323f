"""From the rows of one select to the stored rows, or the objects, of one model.

The rule: rows of SQL become stored rows, without an object in between. Objects are made where the
pk of a link is not known yet, since the row links to its own model; where rows keep their pks; and
where the model has a constructor of its own. A row that links to a later row waits for that row.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from typing import Any

from .. import irNull
from ..errors import FieldValueError
from .conversions import FieldEncoder
from .guards import ModelCounts
from .keys.key_map import KeyMap
from .keys.links import ITSELF, Find, Links
from .keys.reading import Reader, folded, no_key
from .keys.stored import StoredKeys, StoredPks
from .keys.uniques import UniqueValues
from .layout import Layout
from .source import EMPTY, Source

__all__ = ('CircleError', 'RowConverter')

# Every value of so many rows is read back from its stored form.
FIRST_ROWS = 100
# What rows wait for that come after all others.
_LAST = object()


class CircleError(Exception):
    """Rows link to each other in a circle, which only a full swap can store."""


class RowConverter:
    """Makes the stored rows, or the objects, of one model.

    :param layout: what the columns mean
    :param counts: counts rows and links that do not fit
    :param find: see :data:`~.keys.links.Find`
    :param key_maps: the keys of all models that links lead to, or whose keys must be unique
    :param dangling: what happens to a link that leads to no row
    :param circles: whether rows may link to each other in a circle
    :param encoded: whether to make stored rows
    :param kept: the pks that rows keep; None if all get new ones
    :param clashing: the rows that were left out before for the unique value of another row, as of
        :attr:`~.guards.ModelCounts.clashing`; they come after all others
    """

    def __init__(
        self,
        source: Source,
        layout: Layout,
        counts: ModelCounts,
        find: Find,
        key_maps: Mapping[Source, KeyMap],
        dangling: str,
        circles: bool = True,
        encoded: bool = True,
        kept: StoredPks | None = None,
        clashing: Mapping[Any, Any] = EMPTY,
    ) -> None:
        self._source, self._counts = source, counts
        self._keys, self._circles, self._encoded = key_maps.get(source), circles, encoded
        self._links = links = Links(source, layout.links, counts, find, key_maps, dangling)
        self._dangling, self._kept, self._stored_keys = dangling, kept, StoredKeys(source)
        self._key_of: Reader = layout.key_of or (lambda row: None)
        schema = source.model._validated()
        self._clashing = clashing
        self._uniques = (
            UniqueValues(source, layout.links, counts, clashing) if schema.uniques else None
        )
        #: the number of each column that feeds a field, with the field and its encoder
        self._feeds = [
            (number, name, FieldEncoder(schema.columns[name], adapt))
            for number, name, adapt in layout.feeds
        ]
        # Objects are encoded later; for them this checks that their values can be.
        names = links.fields if encoded else (None for _ in links.fields)
        called = {feed.field for feed in layout.feeds if feed.adapts((int, str, float))}
        encoders = {name: encoder for _, name, encoder in self._feeds}
        self._encode = schema.row_encoder([*layout.fields, *names], encoders, called)
        self._stored_key = self._stored_key_reader()
        #: rows that wait, by the key that they wait for
        self._waiting: dict[Any, list[Any]] = {}
        #: keys of the rows that still wait when all rows were read; None while reading
        self._late_keys: set[Any] | None = None
        #: how many rows were read back
        self._read_back = 0

    @property
    def stored_keys(self) -> Set[Any]:
        """The keys of the rows so far as fields have them, where that is not as SQL has them."""
        return self._stored_keys.known

    def _stored_key_reader(self) -> Callable[[Any, Sequence[Any]], Any]:
        """Return what reads from a row and its links the key as the fields have it.

        It returns None if no field has the key.
        """
        parts = [*map(self._key_part, self._source.key_fields)]
        if not parts:
            return lambda row, links: None
        fold: Callable[[Any], Any] = folded if self._source.fold else lambda key: key
        if len(parts) > 1:
            return lambda row, links: fold(tuple(part(row, links) for part in parts))
        return parts[0] if fold is not folded else lambda row, links: fold(parts[0](row, links))

    def _key_part(self, name: str) -> Callable[[Any, Sequence[Any]], Any]:
        """Return what reads one field of it. A link to an object that has no pk yet is None."""
        column = self._source.model._validated().columns[name]
        if name in self._links.fields:
            place = self._links.fields.index(name)
            return lambda row, links: _stored_pk(column, links[place])
        ((number, encoder),) = [(n, encoder) for n, field, encoder in self._feeds if field == name]
        native = column.native_type
        return lambda row, links: (
            row[number] if type(row[number]) is native else encoder.value_of(row[number])
        )

    def objects(self, rows: Sequence[Any]) -> Iterator[Any]:
        """Yield what is made of these rows, and of rows that waited for them."""
        self._links.rows = rows
        for row, pks in zip(rows, self._links.known(rows), strict=True):
            obj = self._make(row, pks)
            if obj is not None:
                yield obj
                if self._waiting:
                    yield from self._released_by(row)

    def _released_by(self, row: Any) -> Iterator[Any]:
        """Yield the objects of the rows that waited for that of a row."""
        queue = deque(self._waiting.pop(self._key_of(row), ()))
        while queue:
            row = queue.popleft()
            obj = self._make(row, *self._links.known([row]))
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

    def _make(self, row: Any, pks: Sequence[int | None]) -> Any:
        """Return the object of a row; None if it has to wait, or does not fit.

        :param pks: those of its links, as far as they are known
        """
        key = self._key_of(row)
        if self._keys is not None and not self._is_new(key, self._keys):
            return None
        if key in self._clashing and self._late_keys is None:
            self._waiting.setdefault(_LAST, []).append(row)
            return None
        try:
            if self._links.own and self._has_to_wait(row, key):
                return None
            links = self._links.of(row, key, pks)
            obj = None if links is None else self._build(row, links, key)
        except FieldValueError as error:
            self._counts.add_bad(str(error) if key is None else f'row {key!r}: {error}')
            return None
        if obj is not None and self._keys is not None:
            self._keys.add(key, obj)
        return obj

    def _is_new(self, key: Any, keys: KeyMap) -> bool:
        """Return whether a row with this key can be stored; count it otherwise."""
        try:
            if key is None:
                self._counts.add_bad(f'a row whose key, {self._source.shown_key}, is null')
            elif key in keys.pks or key in keys.pending or key in self._links.circle:
                self._counts.add_bad(f'a second row with the key {key!r}')
            else:
                return True
        except TypeError:
            label = f'{self._source.name}.{self._source.shown_key}'
            self._counts.add_bad(no_key(label, key))
        return False

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

    def _build(self, row: Any, links: Sequence[Any], key: Any) -> Any:
        """Return the stored row, or the object, of a row; None if its key, or a unique value, is
        that of another row.

        :param links: what to assign to the link fields
        :raises FieldValueError: if a value does not fit
        """
        if self._read_back < FIRST_ROWS:
            self._read_back += 1
            self._encode_each(row)
        try:
            stored = self._encode((*row, *links) if links else row)
        except UnicodeEncodeError:
            self._encode_each(row)  # raises an error that names the field
            raise
        stored_key = None
        if self._keys is not None:
            stored_key = self._stored_key(row, links)
            problem = self._stored_keys.problem(stored_key, key, self._keys)
            if problem:
                self._counts.add_bad(problem)
                return None
        made = stored if self._encoded else self._object(row, links, stored_key)
        if self._uniques is not None:
            linked = dict(zip(self._links.fields, links, strict=True))
            if not self._uniques.add(row, stored, linked, key):
                return None
        return made

    def _encode_each(self, row: Any) -> None:
        """Encode the values one by one, and read them back.

        :raises FieldValueError: if one has no stored form, or reads as another value
        """
        for number, _, encoder in self._feeds:
            encoder(row[number], again=True)

    def _object(self, row: Any, links: Sequence[Any], stored_key: Any) -> Any:
        values = [*links]
        own = self._links.take_itself(values) if self._links.own else ()
        given = {name: encoder.adapted(row[number]) for number, name, encoder in self._feeds}
        linked = zip(self._links.fields, values, strict=True)
        given |= {name: irNull if value is None else value for name, value in linked}
        obj = self._source.model(**given)
        for name, value in own:
            itself = value is ITSELF
            setattr(obj, name, obj if itself else [obj if v is ITSELF else v for v in value])
        if self._kept is not None and (pk := self._kept.take(stored_key)):
            obj._id = pk
        return obj

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
                obj = None if links is None else self._build(row, self._links.in_order(links), key)
            except FieldValueError as error:
                self._counts.add_bad(f'row {key!r}: {error}')
                continue
            if obj is not None:
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


def _stored_pk(column: Any, target: Any) -> Any:
    """Return what a link stores for a target: a pk, or null; None for an object without a pk."""
    if target is ITSELF:
        return None
    data = column.from_input(irNull if target is None else target)
    return data if data is irNull else data.getPk()
