"""Awaitable twins: each method that talks to Redis has one, with the prefix ``a``.

Both run the same flow, on the executor of threads or on that of the running event loop. A test
compares their names, parameters and defaults.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ('awaitable',)

F = TypeVar('F', bound=Callable[..., Any])


def awaitable(method: Callable[..., Any]) -> Callable[[F], F]:
    """Return a decorator for the awaitable twin of a method, which gets the same docstring."""

    def describe(twin: F) -> F:
        twin.__doc__ = method.__doc__
        return twin

    return describe
