"""Awaitable twins: for each method that talks to Redis there is one with the prefix ``a``.

Both are one line: they run the same flow, on the executor of threads or that of the running event
loop. A test compares names, parameters and defaults.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ('awaitable',)

F = TypeVar('F', bound=Callable[..., Any])


def awaitable(method: Callable[..., Any]) -> Callable[[F], F]:
    """Decorator: the awaitable twin of ``method``, which is described by the same text."""

    def describe(twin: F) -> F:
        twin.__doc__ = method.__doc__
        return twin

    return describe
