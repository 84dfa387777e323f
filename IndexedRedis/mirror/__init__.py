"""From SQL into Redis, again and again: a few selects, the models they fill, one call.

    mirror = Mirror('postgresql+psycopg://shop', {Artist: select(artist), Album: select(album)})
    print(mirror.run())

The rule: readers see the old data or the new, of all models together; where anything is doubtful,
the old stays. Needs the extra ``sql``.
"""

from __future__ import annotations

from ..errors import MissingExtraError

try:
    import sqlalchemy as _sqlalchemy  # noqa: F401  (asked for here, so that the answer is clear)
except ImportError:
    raise MissingExtraError('sql', 'IndexedRedis.mirror') from None

from .mirror import Mirror
from .report import MirrorReport, ModelReport

__all__ = ('Mirror', 'MirrorReport', 'ModelReport')
