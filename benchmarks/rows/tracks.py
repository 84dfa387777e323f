"""Read the tracks of the Chinook catalogue, which comes with the demo."""

from __future__ import annotations

import csv
from importlib import resources
from itertools import cycle, islice
from typing import Any


def rows(count: int) -> list[dict[str, Any]]:
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
