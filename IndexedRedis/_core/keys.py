"""The key layout, which is that of IndexedRedis 6.0.3. No other file of the core spells a key."""

from __future__ import annotations

import re
from typing import NamedTuple

from ..fields.base.primary_keys import HIGHEST_PK

__all__ = (
    'ALL_MODELS',
    'BROUGHT',
    'DRAWN',
    'GLOB',
    'HIGHEST_PK',
    'LEFT',
    'PKS_OF_A_RANGE',
    'PREFIX',
    'RANGES',
    'REFUSED',
    'REPLACED',
    'RESERVED_SEGMENTS',
    'STAGED',
    'VALUES',
    'WORK',
    'KeyParts',
    'Keys',
    'is_note',
    'model_and_kind',
    'parse_key',
    'parse_range',
    'ranges_of',
)

# Names of the work keys of one bulk writer, `:tmp:TOKEN:NAME`.
STAGED = b'sets'  # the names of the keys that it staged
RANGES = b'ranges'  # the pks that it reserved, each range as b'FIRST COUNT'
BROUGHT = b'brought'  # the given pks: those that its objects bring
REPLACED = b'old'  # the pks that it replaced
LEFT = b'left'  # the rows of a committed write that are left to write: pk -> row
VALUES = b'unique'  # the unique values that it is going to store: index set -> pk
REFUSED = b'refused'  # always absent: a guard writes to it, so that EXEC does nothing
# Of one token of draws, `:tmp:TOKEN:drawn`: number, pk and incarnation of its last draw.
DRAWN = b'drawn'

# Most pks of one range. Junk that looks like a range keeps a sweep busy for 5,000 pages at most.
PKS_OF_A_RANGE = 1_000_000

# The sets of a dead writer that a sweep goes through.
WORK = (STAGED, RANGES, BROUGHT, REPLACED)

# The type of each work key, by the last part of its name; of a staged key, by what it becomes.
_WORK_TYPES = {
    **dict.fromkeys((b'lock', b'swapped', b'mirrored', b'mirror'), b'string'),
    **dict.fromkeys((b'incarnations', b'marker', DRAWN), b'string'),
    **dict.fromkeys((b'resets', b'editions', b'data', LEFT, VALUES), b'hash'),
    **dict.fromkeys((b'touched', b'keys', b'idx', *WORK), b'set'),
}

# The beginning of the names of sorted sets. It extends a reserved segment, so that no KEY_NAME and
# no index value leads there.
_SORTED = b'keys:sorted:'
# The end of the name of a key that tells an edition; see ``partitions``.
_EDITION = b'keys:edition'

PREFIX = '_ir_|'

# A KEY_NAME with one of these could share keys with another model.
RESERVED_SEGMENTS = (':data', ':idx', ':keys', ':next', ':tmp')

# The pattern of the keys of all models.
ALL_MODELS = PREFIX.encode('ascii') + b'*'
# As no KEY_NAME holds a reserved segment, the first one ends it, whatever a value holds. Tools use
# these patterns; like all patterns of this file they are compiled at their first use.
_KEY = rb'(?s:(.+?):(?:(data|idx|tmp|keys:sorted):(.*)|(keys:edition|keys|next)))'
# What stands before the KEY_NAME: the tag of a partition and an edition, or nothing. A KEY_NAME
# cannot begin like that, since it would hold a reserved segment.
_TAG = rb'[1-9]\d*\.(?:0|[1-9]\d*)'
_PLACE = re.escape(PREFIX.encode('ascii')) + rb'(?:\{(%b)\}:keys:(0|[1-9]\d*):)?' % _TAG
# The characters that mean something in the pattern of a name.
GLOB = rb'([*?\[\]\\^-])'


class Keys:
    """The keys of one model, as bytes.

    :param key_name: the model's ``KEY_NAME``, used as it is
    """

    #: the distance of the pks that follow each other, and their remainder by it; see ``partitions``
    stride, offset = 1, 0

    __slots__ = (
        *('_data', '_index', '_sorted', '_tmp', 'all', 'edition', 'editions', 'next'),
        *('incarnations', 'lock', 'marker', 'mirror_lock', 'mirrored'),
        *('record', 'swapped', 'touched'),
    )

    def __init__(self, key_name: str) -> None:
        base = (PREFIX + key_name).encode('utf-8')
        self.next = base + b':next'
        self.all = base + b':keys'
        self.edition = base + b':' + _EDITION
        self._data = base + b':data:'
        self._index = base + b':idx:'
        self._sorted = base + b':' + _SORTED
        self._tmp = base + b':tmp:'
        self.lock = self._tmp + b'lock'
        self.editions = self._tmp + b'editions'
        self.record = self._tmp + b'resets'
        self.swapped = self._tmp + b'swapped'
        self.mirrored = self._tmp + b'mirrored'
        self.mirror_lock = self._tmp + b'mirror'
        self.touched = self._tmp + b'touched'
        self.incarnations = self._tmp + b'incarnations'
        self.marker = self._tmp + b'marker'

    @property
    def data_prefix(self) -> bytes:
        """The key of an object's hash, up to the pk."""
        return self._data

    @property
    def index_prefix(self) -> bytes:
        """The key of an index set, up to field and value."""
        return self._index

    @property
    def tmp(self) -> bytes:
        """The beginning of all work keys."""
        return self._tmp

    @property
    def base(self) -> bytes:
        """The beginning of every key of the model, up to the kind of key."""
        return self._data[: -len(b'data:')]

    @property
    def pattern(self) -> bytes:
        """The pattern of every key of the model; it also matches keys of other models."""
        return re.sub(GLOB, rb'\\\1', self.base) + b'*'

    @property
    def pattern_but_rows(self) -> bytes:
        """The pattern of index sets and work keys, which leaves out the hashes of objects."""
        return re.sub(GLOB, rb'\\\1', self.base) + b'[it]*'

    def data(self, pk: int) -> bytes:
        """The hash of one object."""
        return b'%s%d' % (self._data, pk)

    def pks(self, first: int, count: int) -> range:
        """Return so many pks in the order in which they are handed out."""
        return range(first, first + count * self.stride, self.stride)

    def index(self, field: bytes, value: bytes) -> bytes:
        """The set of pks whose field has this index value."""
        return b'%s%s:%s' % (self._index, field, value)

    def sorted(self, field: bytes) -> bytes:
        """The sorted set of pks by the values of a field."""
        return self._sorted + field

    def is_own(self, key: bytes) -> bool:
        """Whether a key has one of the shapes above. Flows touch only such keys."""
        if key in (self.next, self.all, self.edition):
            return True
        return key.startswith((self._data, self._index, self._sorted, self._tmp))

    def is_row(self, key: bytes) -> bool:
        """Whether a key of the model is the hash of an object."""
        return key.startswith(self._data)

    def is_index(self, key: bytes) -> bool:
        """Whether a key of the model is an index set."""
        return key.startswith(self._index)

    def is_sorted(self, key: bytes) -> bool:
        """Whether a key of the model is a sorted set."""
        return key.startswith(self._sorted)

    def is_work(self, key: bytes) -> bool:
        """Whether a key of the model is a work key."""
        return key.startswith(self._tmp)

    def is_of_counter(self, key: bytes) -> bool:
        """Whether a key of the model goes with the counter of pks, which outlives the objects."""
        if key in (self.next, self.incarnations):
            return True
        return self.is_work(key) and is_note(key[len(self._tmp) :])

    def type_of(self, key: bytes) -> bytes:
        """The Redis type that a key of the model should have; ``b''`` for an unknown work key."""
        if self.is_work(key):
            return self.work_type(key)
        if self.is_row(key):
            return b'hash'
        if self.is_sorted(key):
            return b'zset'
        return b'string' if key in (self.next, self.edition) else b'set'

    def work_type(self, key: bytes) -> bytes:
        """The Redis type that a work key should have; ``b''`` for one of an unknown name."""
        first, _, rest = key[len(self._tmp) :].partition(b':')
        if rest.startswith(_SORTED):
            return b'zset'
        return _WORK_TYPES.get(rest.partition(b':')[0] or first, b'')

    def staged(self, token: bytes, key: bytes) -> bytes:
        """The key under which a reset prepares what becomes ``key``."""
        return self.work(token, key[len(self.base) :])

    def work(self, token: bytes, name: bytes) -> bytes:
        """A work key of one bulk writer, such as ``RANGES``."""
        return b'%s%s:%s' % (self._tmp, token, name)


def is_pk(text: bytes) -> bool:
    """Return whether text is a pk: a number above 0 without leading zeros."""
    return text.isdigit() and text[:1] != b'0'


def is_allowed_pk(text: bytes) -> bool:
    """Return whether text is a pk up to the highest one."""
    return is_pk(text) and len(text) <= 16 and int(text) <= HIGHEST_PK


def ranges_of(pks: range) -> list[tuple[range, bytes]]:
    """Cut consecutive pks into ranges, each with its member of ``RANGES``."""
    parts = (pks[start : start + PKS_OF_A_RANGE] for start in range(0, len(pks), PKS_OF_A_RANGE))
    return [(part, b'%d %d' % (part.start, len(part))) for part in parts]


def parse_range(text: bytes, highest: int, stride: int = 1) -> range:
    """Return the pks of a member of ``RANGES``; an empty range for anything else.

    :param highest: the counter, above which nobody has reserved pks
    :param stride: the distance of pks that follow each other
    """
    match = re.fullmatch(rb'([1-9]\d{0,15}) ([1-9]\d{0,6})', text)
    first, count = map(int, match.groups()) if match else (1, 0)
    sound = count <= PKS_OF_A_RANGE and first + (count - 1) * stride <= highest
    return range(first, first + count * stride, stride) if sound else range(0)


def is_note(rest: bytes) -> bool:
    """Whether a work key is the note of a draw.

    :param rest: what follows ``:tmp:`` in its name
    """
    return rest.partition(b':')[2] == DRAWN


class KeyParts(NamedTuple):
    """What the name of a key says.

    :param model: the ``KEY_NAME``
    :param kind: ``data``, ``idx``, ``tmp``, ``sorted``, ``keys``, ``next`` or ``edition``
    :param rest: what follows the kind
    :param tag: the hash tag of a partition; None: the key is of no partition
    :param edition: the edition of the partition; 0: its editions share the key
    """

    model: str
    kind: str
    rest: bytes
    tag: bytes | None = None
    edition: int | None = None


def parse_key(key: bytes) -> KeyParts | None:
    """Return what the name of a key says; None if no model has such a key."""
    place = re.match(_PLACE, key)
    match = re.compile(_KEY).fullmatch(key, place.end()) if place else None
    if place is None or match is None:
        return None
    try:
        name = match[1].decode('utf-8')
    except UnicodeDecodeError:
        return None
    if any(f'{segment}:' in name for segment in RESERVED_SEGMENTS):
        return None
    kind = (match[2] or match[4]).decode('ascii').rpartition(':')[2]
    edition = None if place[2] is None else int(place[2])
    return KeyParts(name, kind, match[3] or b'', place[1], edition)


def model_and_kind(key: bytes) -> tuple[str, str, bytes] | None:
    """Return the ``KEY_NAME`` of a key, its kind, and the rest, as of :class:`KeyParts`.

    None if no model has such a key.
    """
    parts = parse_key(key)
    return None if parts is None else parts[:3]
