"""Multi links from a join table: which targets each row of the linking model has.

The rule: every row of the join table leads from a row to a row, or it counts as a dangling link.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..order import target_of
from ..source import Source
from .reading import Reader, reader

__all__ = ('Join', 'JoinedKeys', 'joins_of')


class Join:
    """The select that feeds one multi link: the key of the linking row, then that of its target.

    :param source: the select of the model
    :param name: the link field
    :param target: the select of the linked model; None if it is not mirrored
    """

    def __init__(self, source: Source, name: str, target: Source | None) -> None:
        self.label, self.statement = f'{source.name}.{name}', source.joins[name]
        self._own, self._target = source.key_width, target.key_width if target else 1
        self._read_own: Reader = reader(range(self._own), source.fold)
        columns = range(self._own, self._own + self._target)
        self._read_target: Reader = reader(columns, target is not None and target.fold)

    def problems(self, columns: Sequence[str]) -> list[str]:
        """Return what is wrong with the columns of the select, a sentence each."""
        if len(columns) == self._own + self._target:
            return []
        return [
            f'{self.label}: links= takes a select of {self._own + self._target} columns, the key '
            f'of the row ({self._own}) and that of its target ({self._target}); it has '
            f'{len(columns)}: {", ".join(columns)}.'
        ]

    def add(self, rows: Iterable[Any], joined: JoinedKeys) -> None:
        """Add a chunk of rows."""
        for row in rows:
            joined.add(self._read_own(row), self._read_target(row))


class JoinedKeys:
    """The keys of the targets by the key of the row that links to them, in the order of SQL."""

    def __init__(self) -> None:
        self._targets: dict[Any, list[Any]] = {}
        self._unused: set[Any] = set()

    def add(self, key: Any, target: Any) -> None:
        """Add a link."""
        if key not in self._targets:
            self._targets[key] = []
            self._unused.add(key)
        self._targets[key].append(target)

    def of(self, key: Any) -> list[Any] | None:
        """Return the keys of a row's targets; None if it has none."""
        self._unused.discard(key)
        return self._targets.get(key)

    def unused(self) -> list[Any]:
        """Return the keys that no row was asked for, each as often as it has targets."""
        return [key for key in self._targets if key in self._unused for _ in self._targets[key]]


def joins_of(source: Source, sources: Sequence[Source]) -> dict[str, Join]:
    """Return the joins that feed the multi links of a model, by field name."""
    return {
        name: Join(source, name, target_of(sources, source.links[name])) for name in source.joins
    }
