"""The model whose promises are timed, see :mod:`benchmarks.promises`."""

from __future__ import annotations

from IndexedRedis import IndexedRedisModel, IRField

from .data import FIELDS, INDEXED, NUMBERS

__all__ = ('Track',)


class Track(IndexedRedisModel):
    """A track."""

    FIELDS = [IRField(name, valueType=int if name in NUMBERS else str) for name in FIELDS]
    INDEXED_FIELDS = list(INDEXED)
    KEY_NAME = 'BenchTrack'
