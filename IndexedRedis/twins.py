"""Awaitable twins: each method that talks to Redis has one, with the prefix ``a``.

Both run the same flow, on the executor of threads or on that of the running event loop. A test
compares their names, parameters and defaults.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ('awaitable', 'in_event_loop')

F = TypeVar('F', bound=Callable[..., Any])


def awaitable(method: Callable[..., Any]) -> Callable[[F], F]:
    """Return a decorator for the awaitable twin of a method, which gets the same docstring."""

    def describe(twin: F) -> F:
        twin.__doc__ = method.__doc__
        return twin

    return describe


def in_event_loop() -> bool:
    """Return whether the caller runs in an event loop, which a blocking method would stop."""
    # A program that has not imported asyncio has none.
    return 'asyncio' in sys.modules and sys.modules['asyncio']._get_running_loop() is not None
