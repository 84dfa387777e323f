"""The subjects: they do the same work on the same rows, each as its own documentation would.

Files here run in the virtual environment of their subject, so they import the subject only when
:func:`make` asks for it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

MODULES = {
    'IndexedRedis': 'library',
    'before': 'library',
    '6.0.3': 'library',
    'redis-py by hand': 'by_hand',
    'rom': 'rom_models',
    'walrus': 'walrus_models',
}
TASKS_OF_ASYNCIO = {'library': 'library_asyncio', 'by_hand': 'by_hand_asyncio'}


def make(name: str, connection: dict[str, Any], data: Any, tasks: bool = False, **how: Any) -> Any:
    """Return the subject of a name; what follows a comma in it is for readers only.

    :param connection: connection parameters, ``db`` among them
    :param data: a :class:`benchmarks.rows.dataset.Dataset`
    :param tasks: whether ``get`` and ``select`` are coroutines
    :param how: further arguments of the subject
    """
    module = MODULES[name.partition(',')[0]]
    if tasks:
        module = TASKS_OF_ASYNCIO[module]
    # A copy: 6.0.3 writes into the parameters that it is given.
    return import_module(f'.{module}', __name__).Subject(name, dict(connection), data, **how)
