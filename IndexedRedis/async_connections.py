"""The connections of asyncio, by an older name of :mod:`IndexedRedis.connections.tasks`."""

from __future__ import annotations

from .connections.tasks import aclose

__all__ = ('aclose',)
