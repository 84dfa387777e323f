"""Keys of a model that hold something else: found before anything is written."""

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


# KEYS: names. ARGV: the type they should have. Returns the first that has another, and that type;
# nil if there is none.
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

# Keys that one command looks at.
GROUP = 1000


def check_types(schema: Schema, keys: Sequence[bytes], kind: bytes = b'set') -> Flow[None]:
    """Make sure that keys about to be written are of a type, or not there.

    :raises WrongKeyTypeError: naming the first that is of another
    """
    for group in chunks(keys, GROUP):
        wrong = yield from ask(*OTHER_TYPE(group, kind))
        if wrong:
            raise wrong_type(schema, *wrong)


def wrong_type(schema: Schema, key: bytes, kind: bytes) -> WrongKeyTypeError:
    """The error for a key of the model that holds something else."""
    return WrongKeyTypeError(
        f'{schema.name}: the key {key!r} holds a {kind.decode()}, which this library never stores '
        'there, so nothing was written. Find out who wrote it, then rename or delete the key.'
    )
