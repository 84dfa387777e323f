"""The mirrors that ``longest_wait`` runs: its tracks from SQLite, and one in a thousand changed."""

from __future__ import annotations

import os

from IndexedRedis.mirror import Mirror

from .longest_wait import ARTISTS, Track

URL = f'sqlite:///{os.environ["TRACKS"]}'
GENRES = "CASE i %% 5 WHEN 0 THEN 'Rock' WHEN 1 THEN 'Pop' WHEN 2 THEN 'Jazz' WHEN 3 THEN 'Blues'"
SELECT = f"""
    SELECT 'track ' || i AS name, 'artist ' || (i %% {ARTISTS}) AS artist,
        {GENRES} ELSE 'Metal' END AS genre, %s AS seconds, 'isrc ' || i AS isrc FROM tracks
"""

tracks = Mirror(URL, {Track: SELECT % 'i % 400'}, keys={Track: 'isrc'})
changed = Mirror(
    URL, {Track: SELECT % 'i % 400 + (i % 1000 = 0)'}, keys={Track: 'isrc'}, mode='diff'
)
