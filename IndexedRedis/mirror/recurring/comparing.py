"""Keys that are stored, and that no row has any more.

The rule: a stored key is compared with those of SQL in the form that fields give them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from ..keys.stored import StoredKeys
from ..source import Source
from .marks import FullRunError

__all__ = ('gone_keys',)

# Objects whose keys are read at a time.
BLOCK = 1000


def gone_keys(source: Source, keys: Sequence[Any], pks: Sequence[int | None]) -> Iterator[Any]:
    """Yield the keys of stored objects that no row has, as SQL had them.

    :param keys: those of all rows
    :param pks: of the stored object of each; None if there is none
    :raises FullRunError: if a field changes the form of keys, or a link is a part of the key
    """
    objects = source.model.objects
    gone = iter({*objects.getPrimaryKeys()}.difference(pks))
    forms = {*map(_form, keys)}
    read = StoredKeys(source)
    while block := [*islice(gone, BLOCK)]:
        for obj in objects.getMultipleOnlyFields(block, source.key_fields):
            if obj is None:
                continue
            key = read.of(obj)
            if _form(key) not in forms or source.links.keys() & {*source.key_fields}:
                raise FullRunError(
                    f'{source.name}: rows went whose keys are stored in another form than in SQL'
                )
            yield key


def _form(key: Any) -> Any:
    return tuple(map(type, key)) if isinstance(key, tuple) else type(key)
