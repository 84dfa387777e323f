"""IndexedRedis 6.0.3 from PyPI, to be timed as a black box.

The rule: it lives in a virtual environment of its own in the user's cache, since it is imported
under our name; it gets the redis-py that we use.
"""

from __future__ import annotations

from pathlib import Path

from .cache import NotInstalled, environment

__all__ = ('NotInstalled', 'interpreter')

PROOF = 'import IndexedRedis, sys; sys.exit(IndexedRedis.__version__ != "6.0.3")'


def interpreter() -> Path:
    """Return a Python that imports 6.0.3, installed now if it is not there yet.

    :raises NotInstalled: if that cannot be done
    """
    return environment('6.0.3', ['indexedredis==6.0.3'], PROOF)
