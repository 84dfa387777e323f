"""The independent judge of what the library wrote. The rule: it shares no code with the library.

It reads every key of the database with raw commands and knows only the documented key layout
(docs/reference/keys.rst). Of a model it takes the key name, the names and types of the fields,
which of them are indexed, sorted or unique, whether an index is hashed, and the number of
partitions. It compares both ways: each object must be listed exactly under what it stores, and
nothing may be listed that is not there. For keys of partitions see ``parted.py``.

Nobody may write while it looks.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from judge import parted, scores
from judge.stored_keys import KEEPS, Key, key_of, keys_below, matching

NULL = b'IRNullType()'
TYPES = {'next': b'string', 'keys': b'set', 'data': b'hash', 'idx': b'set', 'sorted': b'zset'}
RECORD = b'resets'  # the work key that names unfinished resets
# The work keys that stay: how old the data is, and the primaries that pks were drawn from.
STAY = {b'mirrored', b'incarnations'}


@dataclasses.dataclass(frozen=True)
class Shape:
    """What the checker knows of a model: indexed fields -> whether the index is hashed; sorted
    fields -> how their stored bytes are scored; the fields that are unique together; the number of
    partitions (0: none), and the field that decides the partition."""

    name: str
    indexes: dict[bytes, bool]
    sorts: dict[bytes, scores.Score] = dataclasses.field(default_factory=dict)
    uniques: tuple[tuple[bytes, ...], ...] = ()
    partitions: int = 0
    partition_by: bytes | None = None

    @property
    def prefix(self) -> bytes:
        return b'_ir_|' + self.name.encode() + b':'

    def index_value(self, field: bytes, stored: bytes) -> bytes:
        """The last part of the name of the index set that lists what is stored."""
        if self.indexes[field]:
            return hashlib.md5(stored).hexdigest().encode()
        return stored


def shape_of(model: Any) -> Shape:
    """Read a model class."""
    fields = {_name(field): field for field in model.FIELDS}
    given = _listed(model, 'UNIQUE_FIELDS', 'unique')
    uniques = [(u,) if isinstance(u, str) else u for u in given]
    indexed = _listed(model, 'INDEXED_FIELDS', 'indexed')
    indexed = [*indexed, *(name for names in uniques for name in names)]
    hashed = {name: _hashed(fields[name]) for name in map(_name, indexed)}
    ordered = _listed(model, 'SORTED_FIELDS', 'sorted')
    sorts = {name: scores.score_of(fields[name]) for name in map(_name, ordered)}
    return Shape(
        model.KEY_NAME,
        {name.encode(): flag for name, flag in hashed.items()},
        {name.encode(): score for name, score in sorts.items()},
        tuple(tuple(_name(name).encode() for name in names) for names in uniques),
        getattr(model, 'PARTITIONS', 0),
        _name(by).encode() if (by := getattr(model, 'PARTITION_BY', None)) else None,
    )


def check_model(
    client: Any, model: Any, others: Iterable[Any] = (), pending: bool = False
) -> list[str]:
    """What is wrong with the stored data of one model, one plain sentence each.

    `others` are the models that share the database: needed only where the key name of one begins
    with that of the other and a colon. With `pending` a reset may have been killed on its way:
    what its record lists is allowed to wait for the next reset.
    """
    return check_shape(client, shape_of(model), map(shape_of, others), pending)


def check_shape(
    client: Any, shape: Shape, others: Iterable[Shape] = (), pending: bool = False
) -> list[str]:
    """As `check_model`, for what is known of a model."""
    longer = [other for other in others if len(other.prefix) > len(shape.prefix)]
    foreign = tuple(other.prefix for other in longer)
    keys = [key for key in keys_below(client, shape.prefix) if not key.name.startswith(foreign)]
    if shape.partitions:
        spaces = _spaces(client, shape, [other.name for other in longer])
        editions = parted.Editions(shape, keys, spaces)
        findings = _of_partitions(client, shape, editions, pending)
    else:
        findings, _ = _of_space(client, shape, shape.prefix, keys, pending)
    return [f'{shape.name}: {text}' for text in findings]


def _spaces(client: Any, shape: Shape, longer: list[str]) -> dict[parted.Space, list[Key]]:
    """The keys of all partitions, by partition and edition."""
    found: dict[parted.Space, list[Key]] = {}
    for name, facts in matching(client, parted.pattern(shape.name)).items():
        space = parted.space_of(name, shape.name)
        if space and not any(parted.space_of(name, other) for other in longer):
            found.setdefault(space, []).append(key_of(space.prefix, name, *facts))
    return found


def _of_partitions(
    client: Any, shape: Shape, editions: parted.Editions, pending: bool
) -> list[str]:
    """What is wrong with a partitioned model."""
    findings = [*_endless_work(editions.home, {parted.RECORD}), *editions.findings(pending)]
    whole: dict[bytes, dict[bytes, bytes]] = {}
    for number, space, shared in editions.places():
        shares = editions.spaces.get(shared, [])
        keys = [key for key in editions.spaces.get(space, []) if key.part != parted.POINTER]
        keys += [key for key in shares if key.part in ('next', 'tmp')]
        found, contents = _of_space(client, shape, space.prefix, keys, pending)
        found += editions.misplaced(number, contents.pks, contents.rows)
        findings += [f'partition {number}: {text}' for text in found]
        whole |= {pk: row for pk, row in contents.rows.items() if pk in contents.pks}
    known = {text.partition(': ')[2] for text in findings}
    return [*findings, *(text for text in _repeated(shape, whole) if text not in known)]


def _of_space(
    client: Any, shape: Shape, prefix: bytes, keys: list[Key], pending: bool
) -> tuple[list[str], _Contents]:
    """What is wrong with the keys of a plain model, or of one edition of a partition; the rest of
    what they hold."""
    excused = _recorded(client, keys) if pending else set()
    findings = [*_misshapen(keys), *_endless_work(keys, excused)]
    contents = _Contents(shape, keys)
    findings += contents.findings(bool(excused), _claimed(client, prefix, excused))
    return findings, contents


def _listed(model: Any, attribute: str, mark: str) -> list[Any]:
    """What an attribute lists, and the fields that have a mark and are not listed."""
    names = [*getattr(model, attribute, ())]
    marked = [_name(each) for each in model.FIELDS if getattr(each, mark, False)]
    return [*names, *(name for name in marked if name not in names)]


def _name(field: Any) -> str:
    return str(getattr(field, 'name', field))


def _hashed(field: Any) -> bool:
    return bool(getattr(field, 'isIndexHashed', False))


def _recorded(client: Any, keys: list[Key]) -> set[bytes]:
    """The record of unfinished resets itself and the tokens in it."""
    record = [k.name for k in keys if (k.part, k.rest, k.type) == ('tmp', RECORD, b'hash')]
    return {RECORD, *client.hkeys(record[0])} if record else set()


def _claimed(client: Any, prefix: bytes, tokens: set[bytes]) -> set[bytes]:
    """The pks that recorded resets have staged, and those that they have replaced: index sets may
    list them until they are swept."""
    pks: set[bytes] = set()
    for token in tokens - {RECORD}:
        work = prefix + b'tmp:' + token
        pks |= client.smembers(work + b':old') | client.smembers(work + b':brought')
        for text in client.smembers(work + b':ranges'):
            first, count = map(int, text.split())
            pks.update(b'%d' % pk for pk in range(first, first + count))
    return pks


def _endless_work(keys: list[Key], excused: set[bytes]) -> Iterator[str]:
    for key in keys:
        token = (key.rest or b'').partition(b':')[0]
        if key.part == 'tmp' and key.ttl == KEEPS and token not in STAY | excused:
            yield f'work key {_show(key.name)} never expires'


def _misshapen(keys: list[Key]) -> Iterator[str]:
    """Keys outside the known shapes, of another type, or with an expiry they must not have."""
    for key in keys:
        if key.part not in (*TYPES, 'tmp') or (key.part in ('next', 'keys')) != (key.rest is None):
            yield f'unknown key {_show(key.name)}'
        elif key.part == 'data' and not _is_pk(key.rest):
            yield f'unknown key {_show(key.name)}: it does not end in a pk'
        elif key.part != 'tmp' and key.type != TYPES[key.part]:
            yield f'{_show(key.name)} is a {_show(key.type)}, not a {_show(TYPES[key.part])}'
        elif key.part not in ('tmp', 'data') and key.ttl != KEEPS:
            yield f'{_show(key.name)} will expire'


class _Contents:
    """What the sound keys of one model hold, and whether it fits together."""

    def __init__(self, shape: Shape, keys: list[Key]):
        self.shape = shape
        parts: dict[str, dict[Any, Any]] = {part: {} for part in TYPES}
        for key in keys:
            if TYPES.get(key.part) == key.type:
                parts[key.part][key.rest] = key.content
        self.counter, self.pks = parts['next'].get(None), parts['keys'].get(None, set())
        self.rows, self.sets, self.sorted = parts['data'], parts['idx'], parts['sorted']
        self.expiring = {key.rest for key in keys if key.part == 'data' and key.ttl != KEEPS}

    def findings(self, rows_may_wait: bool, waiting: set[bytes]) -> list[str]:
        """Everything that does not fit; `waiting`: pks that may be listed though they are gone."""
        stale = [] if rows_may_wait else self._leftovers()
        listed = self._listed(waiting)
        ordered = [*self._scored(waiting), *self._unscored()]
        unique = [*self._together(), *_repeated(self.shape, self._stored())]
        return [
            *(*self._objects(), *stale, *self._counter(), *listed),
            *(*self._missing(), *ordered, *unique),
        ]

    def _objects(self) -> Iterator[str]:
        for pk in sorted(self.pks):
            if not _is_pk(pk):
                yield f':keys holds {_show(pk)}, which is no pk'
            elif pk not in self.rows:
                yield f'object {_show(pk)} is in :keys but has no data'
            elif pk in self.expiring:
                yield f'object {_show(pk)} is in :keys but its data will expire'

    def _leftovers(self) -> Iterator[str]:
        for pk in sorted(self.rows.keys() - self.pks - self.expiring):
            yield f'data of {_show(pk)} is there for ever, but {_show(pk)} is not in :keys'

    def _counter(self) -> Iterator[str]:
        highest = max((int(pk) for pk in self.pks | self.rows.keys() if _is_pk(pk)), default=0)
        if self.counter is not None and not self.counter.isdigit():
            yield f':next holds {_show(self.counter)}, which is no number'
        elif self.counter is not None and int(self.counter) > 2**53 - 2**32:
            yield f':next holds {_show(self.counter)}, which leaves no pk'
        elif int(self.counter or 0) < highest:
            yield f':next is {_show(self.counter or b"absent")}, but pk {highest} is in use'

    def _listed(self, waiting: set[bytes]) -> Iterator[str]:
        """What the index sets list must be there, and store just this."""
        for entry, members in sorted(self.sets.items()):
            field = next((f for f in self.shape.indexes if entry.startswith(f + b':')), None)
            group = next((g for g in self._groups() if entry.startswith(_mark(g) + b':')), None)
            if field is None and group is None:
                yield f'index set {_show(entry)} belongs to no indexed field'
                continue
            for pk in sorted(members - self.pks - waiting):
                yield f'index set {_show(entry)} lists {_show(pk)}, which is not in :keys'
            for pk in sorted(members & self.pks):
                row = self.rows.get(pk, {})
                if group is not None:
                    if self._group_entry(group, row) not in (None, entry):
                        yield f'index set {_show(entry)} lists {_show(pk)}, which stores others'
                    continue
                stored = row.get(field)
                if stored is not None and entry != self._entry(field, stored):
                    listed = f'index set {_show(entry)} lists {_show(pk)}'
                    yield f'{listed}, which stores {_show(stored)}'

    def _missing(self) -> Iterator[str]:
        """What the objects store must be listed; a field the hash lacks is not looked for."""
        for pk in sorted(self.pks & self.rows.keys()):
            for field in self.shape.indexes.keys() & self.rows[pk].keys():
                entry = self._entry(field, self.rows[pk][field])
                if pk not in self.sets.get(entry, ()):
                    yield f'object {_show(pk)} is missing from index set {_show(entry)}'

    def _scored(self, waiting: set[bytes]) -> Iterator[str]:
        """What the sorted sets list must be there, with the score of what it stores."""
        for name, members in sorted(self.sorted.items()):
            if name not in self.shape.sorts:
                yield f'sorted set {_show(name)} belongs to no sorted field'
                continue
            for pk in sorted(members.keys() - self.pks - waiting):
                yield f'sorted set {_show(name)} lists {_show(pk)}, which is not in :keys'
            for pk in sorted(members.keys() & self.pks):
                stored = self.rows.get(pk, {}).get(name)
                if stored is not None and not self.shape.sorts[name](stored, float(members[pk])):
                    listed = f'sorted set {_show(name)} lists {_show(pk)} at {_show(members[pk])}'
                    yield f'{listed}, which stores {_show(stored)}'

    def _unscored(self) -> Iterator[str]:
        """Each object must be in each sorted set; a field the hash lacks is not looked for."""
        for pk in sorted(self.pks & self.rows.keys()):
            for name in sorted(self.shape.sorts.keys() & self.rows[pk].keys()):
                if pk not in self.sorted.get(name, {}):
                    yield f'object {_show(pk)} is missing from sorted set {_show(name)}'

    def _groups(self) -> list[tuple[bytes, ...]]:
        return [group for group in self.shape.uniques if len(group) > 1]

    def _together(self) -> Iterator[str]:
        """What the objects store together must be listed together."""
        for pk in sorted(self.pks & self.rows.keys()):
            for group in self._groups():
                entry = self._group_entry(group, self.rows[pk])
                if entry is not None and pk not in self.sets.get(entry, ()):
                    yield f'object {_show(pk)} is missing from index set {_show(entry)}'

    def _stored(self) -> dict[bytes, dict[bytes, bytes]]:
        return {pk: self.rows[pk] for pk in self.pks & self.rows.keys()}

    def _group_entry(self, group: tuple[bytes, ...], row: dict[bytes, bytes]) -> bytes | None:
        """The index set of a group: a multiplication sign before each name, then the values,
        each with its length. None if the row lacks a field."""
        if not row.keys() >= {*group}:
            return None
        parts = [self._entry(field, row[field])[len(field) + 1 :] for field in group]
        value = b''.join(str(len(part)).encode() + b':' + part for part in parts)
        return _mark(group) + b':' + value

    def _entry(self, field: bytes, stored: bytes) -> bytes:
        return field + b':' + self.shape.index_value(field, stored)


def _repeated(shape: Shape, rows: dict[bytes, dict[bytes, bytes]]) -> Iterator[str]:
    """No two objects store the same unique values; nulls and absent ones do not count."""
    for group in shape.uniques:
        seen: dict[Any, bytes] = {}
        for pk in sorted(rows):
            values = tuple(rows[pk].get(field) for field in group)
            if None not in values and NULL not in values and seen.setdefault(values, pk) != pk:
                names = _show(b', '.join(group))
                yield f'objects {_show(seen[values])} and {_show(pk)} have the same {names}'


def _mark(group: tuple[bytes, ...]) -> bytes:
    return b''.join(b'\xc3\x97' + field for field in group)


def _is_pk(text: bytes | None) -> bool:
    """Whole decimal numbers from 1, written the only way."""
    return text is not None and text.isdigit() and not text.startswith(b'0')


def _show(text: bytes) -> str:
    return text.decode('utf-8', 'backslashreplace')
