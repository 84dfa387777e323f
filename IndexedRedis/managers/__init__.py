"""The public helpers: query, saver, deleter, resets, databases; imported at their first use."""

from __future__ import annotations

from importlib import import_module
from typing import Any

# What they import takes as long as all that models need.
_MODULES = {
    **dict.fromkeys(('CheckReport', 'Explanation', 'FoundModel', 'ModelInfo'), '.databases'),
    **dict.fromkeys(('afindModels', 'findModels'), '.databases'),
    'IndexedRedisDelete': '.deleter',
    'IndexedRedisHelper': '.manager',
    'IndexedRedisQuery': '.query.query',
    **dict.fromkeys(('aresetChanged', 'aresetMany', 'resetChanged', 'resetMany'), '.resets'),
    'IndexedRedisSave': '.saver',
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(_MODULES[name], __name__), name)
