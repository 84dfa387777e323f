"""Credentials that are renewed while the program runs, such as tokens of Entra ID.

redis-py has streaming credential providers since version 5.3.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary, WeakSet

__all__ = ('follow',)

# The pools of each provider, which calls one function with a renewed token.
_pools: WeakKeyDictionary[Any, WeakSet[Any]] = WeakKeyDictionary()


def follow(provider: Any, pool: Any, of_asyncio: bool) -> None:
    """Have the connections of a pool send the renewed tokens of a provider.

    :param provider: the ``credential_provider`` of the connection parameters
    :param of_asyncio: whether the provider awaits the function that it calls
    """
    if not hasattr(provider, 'on_next'):
        return
    pools = _pools.setdefault(provider, WeakSet())
    pools.add(pool)

    def renewed(token: Any) -> None:
        for each in [*pools]:
            each.authenticate_by(token)

    async def arenewed(token: Any) -> None:
        renewed(token)

    provider.on_next(arenewed if of_asyncio else renewed)
