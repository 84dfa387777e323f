"""The methods of the facade that have an awaitable twin, found by their names."""

from __future__ import annotations

from typing import Any

import IndexedRedis as IR
from IndexedRedis.managers import resets
from IndexedRedis.models import stored

PLACES: tuple[Any, ...] = (
    IR.IndexedRedisQuery,
    IR.IndexedRedisSave,
    IR.IndexedRedisDelete,
    IR.IRQueryableList,
    stored.Stored,
    resets,
    IR,
)

# What is loaded when it is asked for.
for name in IR.__all__:
    getattr(IR, name)

# Place and name of each method that has a twin.
TWINS = [
    (place, name)
    for place in PLACES
    for name in dir(place)
    if not name.startswith('_') and callable(getattr(place, f'a{name}', None))
]
