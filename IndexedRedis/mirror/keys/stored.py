"""Keys as models store them: converted by the fields, so two keys of SQL may become one.

The rule: an object that keeps its pk is found by the stored form of its key.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from operator import attrgetter
from typing import Any

from ... import irNull
from ..source import Source
from .key_map import KeyMap
from .reading import folded

__all__ = ('StoredKeys', 'StoredPks')

# Objects that are read at a time.
BLOCK = 1000


class StoredKeys:
    """The stored keys of one model's rows, to find two rows that become one.

    It holds those that differ from the keys in SQL. A link in the key stores a pk instead of the
    foreign key. Pks and foreign keys are not comparable, so it holds all keys then.

    :param source: the select of the model
    """

    def __init__(self, source: Source) -> None:
        names = [f'{name}__id' if name in source.links else name for name in source.key_fields]
        self._read = attrgetter(*names) if names else lambda obj: None
        self._fold = source.fold
        self._has_link = not source.links.keys().isdisjoint(source.key_fields)
        self._known: set[Any] = set()

    def of(self, obj: Any) -> Any:
        """Return the stored key of an object; None if no field has it."""
        key = self._read(obj)
        return folded(key) if self._fold else key

    @property
    def known(self) -> Set[Any]:
        """The stored keys so far that it holds."""
        return self._known

    def problem(self, stored: Any, key: Any, keys: KeyMap) -> str:
        """Return what is wrong with the stored key of a row, or nothing.

        :param key: the key in SQL
        :param keys: the keys in SQL of the rows so far
        """
        if not self._has_link and (stored is None or stored == key):
            again = bool(self._known) and key in self._known
            return f'a second row with the key {key!r}' if again else ''
        parts = stored if isinstance(stored, tuple) else (stored,)
        if any(part is irNull for part in parts):
            return f'row {key!r}: its key becomes null'
        if any(part is None for part in parts):
            return ''  # a link leads to an object that gets its pk later
        try:
            again = stored in self._known or (not self._has_link and stored in keys)
            self._known.add(stored)
        except TypeError:
            return f'row {key!r}: its key becomes {stored!r}, which cannot be compared'
        return f'row {key!r}: its key becomes {stored!r}, as that of another row' if again else ''


class StoredPks:
    """The pks of stored objects by their keys.

    :param source: the select of the model
    """

    def __init__(self, source: Source) -> None:
        self._pks: dict[Any, int] = {}
        keys, objects = StoredKeys(source), source.model.objects
        pks = objects.getPrimaryKeys(sortByAge=True)
        for first in range(0, len(pks), BLOCK):
            self._add(
                objects.getMultipleOnlyFields(pks[first : first + BLOCK], source.key_fields), keys
            )

    def _add(self, objs: Iterable[Any], keys: StoredKeys) -> None:
        for obj in objs:
            if obj is not None:  # deleted meanwhile
                self._pks.setdefault(keys.of(obj), obj._id)

    def take(self, key: Any) -> int | None:
        """Return the pk that belongs to a key, once."""
        return self._pks.pop(key, None)
