"""The logger ``IndexedRedis``: what neither a result nor an error tells.

Rule: a record names models, servers and numbers, and never a value of a user or a password. Modules
that are imported without redis-py import this one where they log: ``logging`` takes long to import.
"""

from __future__ import annotations

import logging

__all__ = ('logger',)

logger = logging.getLogger('IndexedRedis')
# A program that sets up no logging sees nothing; Python would print warnings.
logger.addHandler(logging.NullHandler())
