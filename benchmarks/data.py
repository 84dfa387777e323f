"""The rows: tracks of the Chinook catalogue that comes with the demo, as many as wanted."""

from __future__ import annotations

import csv
from importlib import resources
from itertools import cycle, islice
from typing import Any

__all__ = ('FIELDS', 'INDEXED', 'rows')

FIELDS = ('name', 'album', 'artist', 'genre', 'composer', 'milliseconds', 'bytes', 'shelf')
INDEXED = ('artist', 'genre', 'shelf')
NUMBERS = ('milliseconds', 'bytes', 'shelf')


def _table(name: str) -> list[dict[str, str]]:
    source = resources.files('IndexedRedis.demo') / 'chinook' / f'{name}.csv'
    return list(csv.DictReader(source.read_text(encoding='utf-8').splitlines()))


def rows(count: int) -> list[dict[str, Any]]:
    """Return ``count`` tracks.

    ``shelf`` numbers are such that shelf 1 has 1 track, shelf 100 has 100, and shelf 0 the rest.
    """
    artists = {row['id']: row['name'] for row in _table('artist')}
    albums = {row['id']: row for row in _table('album')}
    genres = {row['id']: row['name'] for row in _table('genre')}
    made = []
    for number, track in enumerate(islice(cycle(_table('track')), count)):
        album = albums[track['album']]
        shelf = 1 if number == 0 else 100 if number <= 100 else 0
        made.append(
            {
                'name': track['name'],
                'album': album['title'],
                'artist': artists[album['artist']],
                'genre': genres[track['genre']],
                'composer': track['composer'] or None,
                'milliseconds': int(track['milliseconds']),
                'bytes': int(track['bytes']),
                'shelf': shelf,
            }
        )
    return made
