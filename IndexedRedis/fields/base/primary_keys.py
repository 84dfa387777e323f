"""Primary keys: the check of every pk that a caller passes."""

from __future__ import annotations

import operator
from typing import Any

from ...errors import UsageError

__all__ = ('HIGHEST_PK', 'new_primary_key', 'primary_key')

# Scripts count with doubles, which hold whole numbers up to 2**53. The rest is room for counters:
# pks that were reserved and never used.
HIGHEST_PK = 2**53 - 2**32


def primary_key(value: Any) -> int:
    """Return a pk to look up, as a number.

    :param value: a whole number of any type but ``bool``, or its digits as text or bytes. Objects
        have pks from 1 to :data:`HIGHEST_PK`; a lookup of another number finds nothing.
    :raises UsageError: if ``value`` is anything else
    """
    try:
        if isinstance(value, (str, bytes)):
            digits = value.strip()
            if digits.isascii() and digits.isdigit():
                return int(digits)
        elif not isinstance(value, bool):
            return operator.index(value)
    except (TypeError, ValueError):
        pass
    raise UsageError(
        f'{value!r} is no primary key. Give a whole number from 1 to {HIGHEST_PK:,}, or its digits.'
    )


def new_primary_key(value: Any) -> int:
    """Return a pk to store an object under, or to link to, as a number.

    :param value: as of :func:`primary_key`
    :raises UsageError: if ``value`` is not a pk from 1 to :data:`HIGHEST_PK`
    """
    pk = primary_key(value)
    if not 1 <= pk <= HIGHEST_PK:
        raise UsageError(f'{value!r} cannot be used as a pk. Give one from 1 to {HIGHEST_PK:,}.')
    return pk
