"""Mirroring SQL data into models: one select a model, and one call that replaces all data.

    mirror = Mirror('postgresql+psycopg://shop', {Artist: select(artist), Album: select(album)})
    print(mirror.run())

The rule: readers see the old data of all models or the new data of all models, and a run that
doubts its data changes nothing. Needs the extra ``sql``.
"""

from __future__ import annotations

from ..errors import MissingExtraError

try:
    import sqlalchemy as _sqlalchemy  # noqa: F401  (imported here for a clear error)
except ImportError:
    raise MissingExtraError('sql', 'IndexedRedis.mirror') from None

from .follow.stamp import FollowStatus
from .mirror import Mirror
from .report import MirrorReport, ModelReport

__all__ = ('FollowStatus', 'Mirror', 'MirrorReport', 'ModelReport')
