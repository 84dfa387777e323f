"""The work, done with this library."""

from __future__ import annotations

from typing import Any

from IndexedRedis import IndexedRedisModel, IRField

from .data import FIELDS, INDEXED, NUMBERS

__all__ = ('Library', 'Track')


class Track(IndexedRedisModel):
    """A track."""

    FIELDS = [IRField(name, valueType=int if name in NUMBERS else str) for name in FIELDS]
    INDEXED_FIELDS = list(INDEXED)
    KEY_NAME = 'BenchTrack'


class Library:
    """Models and queries."""

    name = 'IndexedRedis'

    def __init__(self, params: dict[str, Any]) -> None:
        self.model = Track.connectAlt(params)

    def clear(self) -> None:
        """Remove everything that was stored."""
        self.model.deleter.destroyModel()

    def insert(self, rows: list[dict[str, Any]]) -> None:
        """Store all rows."""
        self.model.saver.save([self.model(**row) for row in rows])

    def shelf(self, number: int) -> list[tuple[Any, ...]]:
        """Fetch the tracks of a shelf, and read three fields of each."""
        found = self.model.objects.filter(shelf=number).all()
        return [(track.name, track.artist, track.milliseconds) for track in found]

    def replace(self, rows: list[dict[str, Any]]) -> None:
        """Put these rows in the place of all others."""
        self.model.reset([self.model(**row) for row in rows])
