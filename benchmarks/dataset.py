"""The rows of a run, and the queries that are asked of them.

The rule: real rows, in a random order that is the same in every run, so that row *n* is stored
under the pk *n* + 1 by every subject; queries are picked by how many rows they find.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import asdict, dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

from .data import FIELDS, INDEXED, NUMBERS
from .data import rows as tracks
from .flights import FLIGHTS, table

__all__ = ('Dataset', 'load', 'make')

Filters = dict[str, Any]


@dataclass
class Dataset:
    """Rows and what the subjects must know of them.

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
        """Some rows, each a dict."""
        return [dict(zip(self.kinds, row, strict=True)) for row in self.rows[start:stop]]

    def write(self, path: Path) -> Path:
        """Write it where workers can :func:`load` it."""
        path.write_text(json.dumps(asdict(self)), 'utf-8')
        return path

    def query(self, size: int, most_filters: int = 3, fewest: int = 1) -> tuple[Filters, int]:
        """The query that finds nearest to so many rows, of the fewest filters; and how many."""
        places = {name: number for number, name in enumerate(self.kinds)}
        best: tuple[float, Filters, int] | None = None
        for count in range(fewest, most_filters + 1):
            for names in combinations(self.indexed, count):
                columns = [places[name] for name in names]
                found = Counter(tuple(row[at] for at in columns) for row in self.rows)
                for values, hits in sorted(found.items(), key=str):
                    if None in values:
                        continue
                    off = max(hits, size) / min(hits, size)
                    if best is None or off < best[0] / 1.05:
                        best = off, dict(zip(names, values, strict=True)), hits
        assert best is not None
        return best[1], best[2]


def load(path: str) -> Dataset:
    """Read what :meth:`Dataset.write` wrote."""
    return Dataset(**json.loads(Path(path).read_text('utf-8')))


def make(name: str, count: int) -> Dataset:
    """So many rows of ``flights`` (fetched by pip) or of ``tracks`` (Chinook, in the demo)."""
    return {'flights': _flights, 'tracks': _tracks}[name](count)


def _flights(count: int) -> Dataset:
    rows = [list(row.values()) for row in table('flights')]
    return Dataset(
        'flights',
        {key: kind.__name__ for key, kind in FLIGHTS.items()},
        indexed=['carrier', 'origin', 'dest', 'month'],
        three=['carrier', 'dest', 'distance'],
        changed='carrier',
        rows=_shuffled(rows)[:count],
    )


def _tracks(count: int) -> Dataset:
    return Dataset(
        'tracks',
        {key: 'int' if key in NUMBERS else 'str' for key in FIELDS},
        indexed=list(INDEXED),
        three=['name', 'artist', 'milliseconds'],
        changed='artist',
        rows=_shuffled([list(row.values()) for row in tracks(count)]),
    )


def _shuffled(rows: list[Any]) -> list[Any]:
    random.Random(2013).shuffle(rows)
    return rows
