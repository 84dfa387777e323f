"""Has short lists go the ways of long ones."""

from __future__ import annotations

import pytest

from IndexedRedis._core.bulk import insert as bulk_insert
from IndexedRedis._core.bulk import redo
from IndexedRedis._core.writes import sizes


@pytest.fixture
def in_steps(monkeypatch):
    """Has short lists go the ways of long ones."""
    for place, name in ((sizes, 'SCRIPT_US'), (sizes, 'STEP_US'), (redo, 'ROWS_OF_A_PAGE')):
        monkeypatch.setattr(place, name, 3)
    for place in (redo, bulk_insert):
        monkeypatch.setattr(place, 'PUBLISHED_AT_ONCE', 4)
    for name in ('CHUNK', 'LISTED'):
        monkeypatch.setattr(bulk_insert, name, 3)
