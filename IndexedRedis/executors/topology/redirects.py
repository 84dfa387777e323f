"""Errors by which a node says that another one, or a later moment, is right."""

from __future__ import annotations

import re
from typing import Any

from redis.exceptions import (
    AskError,
    BusyLoadingError,
    ClusterDownError,
    MasterDownError,
    MovedError,
    ReadOnlyError,
    TryAgainError,
)

__all__ = ('is_passing', 'moved_to')

_CLASSES = (
    AskError,
    BusyLoadingError,
    ClusterDownError,
    MasterDownError,
    MovedError,
    ReadOnlyError,
    TryAgainError,
)
# Up to redis-py 6 only its cluster client has classes for these replies; other connections give a
# ResponseError. A server puts other words before an error that a script met.
_CODE = re.compile(
    r'(?:^|: -?)(?:MOVED|ASK|TRYAGAIN|CLUSTERDOWN|MASTERDOWN|NOREPLICAS|READONLY|LOADING|'
    r'UNBLOCKED) '
    # A script met a row that has moved on already, while its other keys have not.
    r'|[Aa]ttempted to access a non local key in a cluster'
)
_MOVED = re.compile(r'^(?:MOVED )?\d+ (.*):(\d+)$')


def is_passing(error: Exception) -> bool:
    """Whether an error tells that the command was refused, and may do elsewhere or later.

    A slot moved or is moving, a replica was promoted, or has not connected yet.
    """
    return isinstance(error, _CLASSES) or _CODE.search(str(error)) is not None


def moved_to(error: Any) -> tuple[str, int] | None:
    """Return host and port that a node says a slot has moved to; None for another error.

    The host is empty if it is that of the node itself.
    """
    if isinstance(error, AskError) and not isinstance(error, MovedError):
        return None  # its keys are moving, one by one: other keys of the slot are still here
    found = _MOVED.match(str(error))
    return (found[1], int(found[2])) if found else None
