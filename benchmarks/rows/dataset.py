"""Provide the rows of a run, and queries picked by how many rows they match.

Rows are real and in a random order that is the same in every run: row *n* is stored under the pk
*n* + 1 by every subject.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import asdict, dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

from . import flights, tracks

Filters = dict[str, Any]


@dataclass
class Dataset:
    """Rows, and what the subjects must know of them.

    :param kinds: per field, ``int`` or ``str``
    :param indexed: the fields to filter by
    :param three: the fields that are read where three are
    :param changed: the indexed field that an update changes
    """

    name: str
    kinds: dict[str, str]
    indexed: list[str]
    three: list[str]
    changed: str
    rows: list[list[Any]] = field(repr=False)

    def dicts(self, start: int = 0, stop: int | None = None) -> list[dict[str, Any]]:
        """Return rows as dicts."""
        return [dict(zip(self.kinds, row, strict=True)) for row in self.rows[start:stop]]

    def query(self, size: int, most_filters: int = 3, fewest: int = 1) -> tuple[Filters, int]:
        """Return the query that matches nearest to ``size`` rows, and how many it matches.

        It has as few filters as possible.
        """
        best: tuple[float, Filters, int] | None = None
        for count in range(fewest, most_filters + 1):
            for names in combinations(self.indexed, count):
                columns = [list(self.kinds).index(name) for name in names]
                matches = Counter(tuple(row[at] for at in columns) for row in self.rows)
                for values, hits in sorted(matches.items(), key=str):
                    off = max(hits, size) / min(hits, size)
                    if None not in values and (best is None or off < best[0] / 1.05):
                        best = off, dict(zip(names, values, strict=True)), hits
        assert best is not None
        return best[1], best[2]

    def write(self, path: Path) -> Path:
        """Write it where processes can :func:`load` it."""
        path.write_text(json.dumps(asdict(self)), 'utf-8')
        return path


def load(path: str) -> Dataset:
    """Read what :meth:`Dataset.write` wrote."""
    return Dataset(**json.loads(Path(path).read_text('utf-8')))


def make(name: str, count: int) -> Dataset:
    """Return so many rows of ``flights``, of ``tracks``, or of ``artists`` with ten tracks each."""
    if name == 'flights':
        rows = [list(row.values()) for row in flights.table('flights')]
        kinds = {key: kind.__name__ for key, kind in flights.COLUMNS.items()}
        indexed, three = ['carrier', 'origin', 'dest', 'month'], ['carrier', 'dest', 'distance']
        return Dataset(name, kinds, indexed, three, 'carrier', _shuffled(rows)[:count])
    dicts = tracks.rows(count)
    if name == 'artists':
        for number, row in enumerate(dicts):
            row['artist'] = f'Artist {number // 10}'
    rows = [list(row.values()) for row in dicts]
    kinds = {key: 'int' if isinstance(dicts[0][key], int) else 'str' for key in dicts[0]}
    three = ['name', 'artist', 'milliseconds']
    return Dataset(name, kinds, ['artist', 'genre', 'shelf'], three, 'artist', _shuffled(rows))


def _shuffled(rows: list[Any]) -> list[Any]:
    random.Random(2013).shuffle(rows)
    return rows
