"""The only file that knows the key layout, which is that of IndexedRedis 6.0.3."""

from __future__ import annotations

import re

__all__ = ('ALL_MODELS', 'PREFIX', 'RESERVED_SEGMENTS', 'WORK', 'Keys', 'model_and_kind')


# What a reset has to sweep, under names of its own: staged keys, pks that it has reserved or that
# objects brought along, pks that it has replaced.
WORK = (b'sets', b'ranges', b'brought', b'old')

PREFIX = '_ir_|'

# A KEY_NAME with one of these could share keys with another model.
RESERVED_SEGMENTS = (':data', ':idx', ':keys', ':next', ':tmp')

# What finds the keys of all models.
ALL_MODELS = PREFIX.encode('ascii') + b'*'
# As no KEY_NAME holds a reserved segment, the first one ends it, whatever a value holds.
# (Tools use it; like all patterns here it is compiled at its first use.)
_KEY = re.escape(PREFIX.encode('ascii')) + rb'(?s:(.+?):(?:(data|idx|tmp):(.*)|(keys|next)))'
_GLOB = rb'([*?\[\]\\^-])'


class Keys:
    """The keys of one model, as bytes.

    :param key_name: the model's ``KEY_NAME``, used as it is
    """

    __slots__ = (
        *('_data', '_index', '_tmp', 'all', 'next'),
        *('lock', 'mirrored', 'record', 'swapped', 'touched'),
    )

    def __init__(self, key_name: str) -> None:
        base = (PREFIX + key_name).encode('utf-8')
        self.next = base + b':next'
        self.all = base + b':keys'
        self._data = base + b':data:'
        self._index = base + b':idx:'
        self._tmp = base + b':tmp:'
        self.lock = self._tmp + b'lock'
        self.record = self._tmp + b'resets'
        self.swapped = self._tmp + b'swapped'
        self.mirrored = self._tmp + b'mirrored'
        self.touched = self._tmp + b'touched'

    @property
    def data_prefix(self) -> bytes:
        """What comes before the pk in the key of an object's hash."""
        return self._data

    @property
    def index_prefix(self) -> bytes:
        """What comes before field and value in the key of an index set."""
        return self._index

    @property
    def tmp(self) -> bytes:
        """What all work keys begin with."""
        return self._tmp

    @property
    def base(self) -> bytes:
        """What every key of the model begins with, up to the kind of key."""
        return self._data[: -len(b'data:')]

    @property
    def pattern(self) -> bytes:
        """What finds every key of the model by its name; it also finds some that are not own."""
        return re.sub(_GLOB, rb'\\\1', self.base) + b'*'

    @property
    def pattern_but_rows(self) -> bytes:
        """What finds the index sets and work keys by their names, and no hash of an object."""
        return re.sub(_GLOB, rb'\\\1', self.base) + b'[it]*'

    def data(self, pk: int) -> bytes:
        """The hash of one object."""
        return b'%s%d' % (self._data, pk)

    def index(self, field: bytes, value: bytes) -> bytes:
        """The set of pks whose field has this index value."""
        return b'%s%s:%s' % (self._index, field, value)

    def is_own(self, key: bytes) -> bool:
        """Whether a key has one of the shapes above: the others are not ours to touch."""
        if key in (self.next, self.all):
            return True
        return key.startswith((self._data, self._index, self._tmp))

    def is_row(self, key: bytes) -> bool:
        """Whether a key of the model is the hash of an object."""
        return key.startswith(self._data)

    def is_index(self, key: bytes) -> bool:
        """Whether a key of the model is an index set."""
        return key.startswith(self._index)

    def staged(self, token: bytes, key: bytes) -> bytes:
        """Where a reset prepares what is to become ``key``."""
        return b'%s%s:%s' % (self._tmp, token, key[len(self.base) :])

    def work(self, token: bytes, name: bytes) -> bytes:
        """A work key of one reset."""
        return b'%s%s:%s' % (self._tmp, token, name)


def model_and_kind(key: bytes) -> tuple[str, str, bytes] | None:
    """Whose key this is: the ``KEY_NAME``; ``data``, ``idx``, ``tmp``, ``keys`` or ``next``; and
    what follows. None if no model has such a key."""
    match = re.fullmatch(_KEY, key)
    if match is None:
        return None
    try:
        name = match[1].decode('utf-8')
    except UnicodeDecodeError:
        return None
    return name, (match[2] or match[4]).decode('ascii'), match[3] or b''
