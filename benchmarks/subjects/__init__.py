"""The subjects: each does the same work on the same rows, in a process and a database of its own.

The rule: a subject is written as its own documentation would have it done, at its best. This
package is imported in the virtual environment of each subject, so it imports nothing else from
here, and each subject only what it is about.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ('make',)

MODULES = {
    'IndexedRedis': 'library',
    '6.0.3': 'library',
    'redis-py by hand': 'by_hand',
    'rom': 'rom_models',
    'walrus': 'walrus_models',
}


def make(name: str, connection: dict[str, Any], data: Any) -> Any:
    """The subject of that name, working on this connection.

    :param connection: connection parameters, ``db`` among them
    :param data: a :class:`benchmarks.dataset.Dataset`
    """
    module = import_module(f'.{MODULES[name]}', __name__)
    return module.Subject(name, connection, data)
