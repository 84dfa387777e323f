"""``valueType=uuid.UUID``, stored in lower case with hyphens."""

from __future__ import annotations

import uuid
from typing import Any

from .value_type import ASCII, ascii_text

__all__ = ('TYPE',)


def _from_input(value: Any) -> uuid.UUID:
    if isinstance(value, uuid.UUID):
        return value if type(value) is uuid.UUID else uuid.UUID(int=value.int)
    try:
        return uuid.UUID(ascii_text(value, 'a UUID'))
    except ValueError as exc:
        raise ValueError(f'a UUID as text is 32 hexadecimal digits ({exc})') from None


def _score(value: uuid.UUID) -> float:
    return float(value.int)


TYPE = ASCII(
    _from_input,
    str,
    _from_input,
    can_index=True,
    eager=False,
    canonical=True,
    score=_score,
)
