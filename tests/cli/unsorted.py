"""The tracks of the demo without sorted fields, so that reports of them fit a table."""

from __future__ import annotations

from IndexedRedis.demo import models


class Track(models.Track):
    SORTED_FIELDS = []
