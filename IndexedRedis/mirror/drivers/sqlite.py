"""sqlite3 raises where text is not UTF-8: a SQLite database takes any bytes as text."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from .driver import Driver

__all__ = ('Sqlite',)


class Sqlite(Driver):
    """sqlite3, which returns broken text as bytes if it has to be careful."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        raw: Any = connection.connection.driver_connection
        self._raw, self._usual = raw, raw.text_factory

    def cannot_read(self, error: DBAPIError) -> bool:
        """Return whether an error means that text is not UTF-8: it has no class of its own."""
        return 'Could not decode to UTF-8' in str(error.orig)

    def be_careful(self) -> bool:
        """Return from here on the bytes of text that is not UTF-8."""
        self._raw.text_factory = _text_or_bytes
        return True

    def end(self) -> None:
        """Leave the connection of the driver as it was."""
        self._raw.text_factory = self._usual


def _text_or_bytes(stored: bytes) -> str | bytes:
    try:
        return stored.decode()
    except UnicodeDecodeError:
        return stored
