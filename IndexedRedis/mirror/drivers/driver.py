"""How a driver is made to return values: what all drivers have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.exc import DataError, DBAPIError

__all__ = ('Driver', 'code_of')


def code_of(error: DBAPIError) -> str | None:
    """Return the SQLSTATE of an error of any driver of PostgreSQL; None if it has none."""
    code = getattr(error.orig, 'sqlstate', None) or getattr(error.orig, 'pgcode', None)
    return code if isinstance(code, str) else None


class Driver:
    """The driver of a connection. This one needs nothing.

    :param connection: of SQLAlchemy
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def cannot_read(self, error: DBAPIError) -> bool:
        """Return whether an error is the driver's, about a value; the server's have a code."""
        return isinstance(error, DataError) and not code_of(error)

    def be_careful(self) -> bool:
        """Return from here on as text what cannot be read; return False if that changes nothing."""
        return False

    def begin_select(self, description: Iterable[Any]) -> None:
        """Prepare for the rows of a select.

        :param description: that of the cursor
        """

    def note(self, rows: Sequence[Any]) -> None:
        """Note what :meth:`columns_with_none` needs of the next rows."""

    def columns_with_none(self) -> list[int]:
        """Return the numbers of the columns where None may be a date with zeros."""
        return []

    def end(self) -> None:
        """Leave the connection of the driver as it was."""

    def _prepare_cursors(self, prepare: Callable[[Any], None]) -> None:
        """Have a function prepare each cursor of the connection."""

        def listener(connection: Any, cursor: Any, *rest: Any) -> None:
            prepare(cursor)

        event.listen(self._connection, 'before_cursor_execute', listener)
