"""Provide the rows of a run, and queries picked by how many rows they match.

Rows are real and in a random order that is the same in every run: row *n* is stored under the pk
*n* + 1 by every subject.
"""

import json
import random
from collections import Counter
from dataclasses import asdict, dataclass, field
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

from .sources import FLIGHT, flights, tracks

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


@cache
def make(name: str, count: int) -> Dataset:
    """Return so many rows of ``flights``, of ``tracks``, or of ``artists`` with ten tracks each."""
    if name == 'flights':
        kinds = {key: kind.__name__ for key, kind in FLIGHT.items()}
        indexed, three = ['carrier', 'origin', 'dest', 'month'], ['carrier', 'dest', 'distance']
        return Dataset(name, kinds, indexed, three, 'carrier', _shuffled(flights())[:count])
    rows = tracks(count)
    if name == 'artists':
        for number, row in enumerate(rows):
            row['artist'] = f'Artist {number // 10}'
    kinds = {key: 'int' if isinstance(value, int) else 'str' for key, value in rows[0].items()}
    indexed, three = ['artist', 'genre', 'shelf'], ['name', 'artist', 'milliseconds']
    values = _shuffled([list(row.values()) for row in rows])
    return Dataset(name, kinds, indexed, three, 'artist', values)


def _shuffled(rows: list[Any]) -> list[Any]:
    random.Random(2013).shuffle(rows)
    return rows
