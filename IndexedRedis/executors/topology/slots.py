"""The hash slot of a model. A cluster serves one operation only on keys of one slot."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from redis.crc import key_slot

from ...errors import ConnectionSetupError

__all__ = ('slot_of', 'slot_of_key')


def slot_of(model: Any) -> int:
    """Return the slot of all keys of a model.

    :param model: the model, or one of its objects
    :raises ConnectionSetupError: if its ``KEY_NAME`` has no hash tag, so that its keys are in many
    """
    name = model.KEY_NAME
    slot = _slot_of_name(name)
    if slot is None:
        kind = model if isinstance(model, type) else type(model)
        raise ConnectionSetupError(
            f'{kind.__name__}: the server is a cluster, and the keys of this model are in many of '
            f'its slots. Nothing was sent. Give the model a hash tag, such as '
            f"KEY_NAME = '{{{name}}}'; models that link to each other, or are saved or reset in "
            f"one call, need the same tag, such as '{{shop}}{name}'."
        )
    return slot


@lru_cache(maxsize=4096)
def slot_of_key(key: bytes) -> int:
    """Return the slot of a key."""
    return key_slot(key)


@lru_cache(maxsize=4096)
def _slot_of_name(name: str) -> int | None:
    """Return the slot of the hash tag in a ``KEY_NAME``; None if there is none."""
    _, opened, rest = name.partition('{')
    tag, closed, _ = rest.partition('}')
    if not (opened and closed and tag):
        return None
    return key_slot(tag.encode('utf-8', 'surrogateescape'))
