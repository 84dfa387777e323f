"""psycopg2 returns other dates and times where Python has no such one: 9999-12-31 for infinity,
00:00 for 24:00. Others, such as years before Christ, raise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

from .driver import Driver

__all__ = ('Psycopg2',)

Cast = Callable[[Any, Any], Any]
_CASTS = ('PYDATE', 'PYDATETIME', 'PYDATETIMETZ', 'PYTIME', 'PYINTERVAL')


class Psycopg2(Driver):
    """psycopg2, which always returns the text of such dates and times."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._prepare_cursors(_read_as_text)


def _read_as_text(cursor: Any) -> None:
    from psycopg2 import extensions

    for name in _CASTS:
        cast = getattr(extensions, name)
        wrapped = extensions.new_type(cast.values, cast.name, _or_text(cast))
        extensions.register_type(wrapped, cursor)


def _or_text(cast: Cast) -> Cast:
    def read(text: str | None, cursor: Any) -> Any:
        if text is not None and (text.endswith('infinity') or text.startswith('24:')):
            return text
        try:
            return cast(text, cursor)
        except (ValueError, OverflowError):
            return text

    return read
