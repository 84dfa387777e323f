"""Refuse keys of a model that hold another type, before anything is written."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import WrongKeyTypeError
from ..flows import Flow, ask, chunks
from ..mapping.schema import Schema
from ..script import Script

__all__ = (
    'OTHER_TYPE',
    'check_types',
    'wrong_type',
)


# Return the first key that holds another type than it should.
# KEYS: names.
# ARGV: the type that they should have.
# Returns {key, its type}; nil if each key has the type or does not exist.
# Bounded: 1,000 keys (GROUP).
OTHER_TYPE = Script(
    'other_type',
    """
for i = 1, #KEYS do
  local kind = redis.call('TYPE', KEYS[i]).ok
  if kind ~= ARGV[1] and kind ~= 'none' then return {KEYS[i], kind} end
end
return false
""",
)

# Keys that one script examines.
GROUP = 1000


def check_types(schema: Schema, keys: Sequence[bytes], kind: bytes = b'set') -> Flow[None]:
    """Check that keys to write to have a type, or do not exist.

    :raises WrongKeyTypeError: naming the first that has another type
    """
    for group in chunks(keys, GROUP):
        wrong = yield from ask(*OTHER_TYPE(group, kind))
        if wrong:
            raise wrong_type(schema, *wrong)


def wrong_type(schema: Schema, key: bytes, kind: bytes) -> WrongKeyTypeError:
    """Return the error for a key of the model that holds another type."""
    return WrongKeyTypeError(
        f'{schema.name}: the key {key!r} holds a {kind.decode()}, which this library never stores '
        'there, so nothing was written. Find out who wrote it, then rename or delete the key.'
    )
