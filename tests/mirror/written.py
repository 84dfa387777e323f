"""Modules that ``scaffold`` wrote, as an application imports them."""

from __future__ import annotations

import types
from typing import Any

from IndexedRedis import IndexedRedisModel


def imported(text: str) -> Any:
    """Return the module of this source; ``models`` are its models by name."""
    module: Any = types.ModuleType('shop_mirror')
    exec(compile(text, 'shop_mirror.py', 'exec'), vars(module))
    module.models = {
        name: each
        for name, each in vars(module).items()
        if isinstance(each, type) and issubclass(each, IndexedRedisModel)
    }
    del module.models['IndexedRedisModel']
    return module
