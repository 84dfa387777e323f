"""Deprecations: ordinary ``DeprecationWarning``s, which one call switches off."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ('deprecated', 'deprecatedMessage', 'toggleDeprecatedMessages')

F = TypeVar('F', bound=Callable[..., Any])

_enabled = True


def toggleDeprecatedMessages(enabled: bool) -> None:
    """Switch the deprecation warnings of this library on or off.

    :param enabled: False silences them
    """
    global _enabled
    _enabled = bool(enabled)


def deprecatedMessage(message: str, stacklevel: int = 2) -> None:
    """Issue a ``DeprecationWarning``, unless they are switched off.

    :param message: what is deprecated, and what to use instead
    :param stacklevel: the frame that the warning names, as of ``warnings.warn``
    """
    if _enabled:
        warnings.warn(message, DeprecationWarning, stacklevel=stacklevel + 1)


def deprecated(message: str) -> Callable[[F], F]:
    """Return a decorator for a function that issues a ``DeprecationWarning`` at each call.

    :param message: what is deprecated, and what to use instead
    """

    def decorate(func: F) -> F:
        @functools.wraps(func)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            deprecatedMessage(message)
            return func(*args, **kwargs)

        return wrapper  # type: ignore[return-value]

    return decorate
