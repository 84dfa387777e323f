"""psycopg 3 raises where Python has no such date or time, and the whole chunk of rows is lost.

The rule: only a run that met such a value reads by these loaders, since those of psycopg are
written in C, and take a tenth of the time.
"""

from __future__ import annotations

from typing import Any

from .driver import Driver

__all__ = ('Psycopg',)

_TYPES = ('date', 'time', 'timetz', 'timestamp', 'timestamptz', 'interval')


class Psycopg(Driver):
    """psycopg 3, which returns the text of such dates and times if it has to be careful."""

    def be_careful(self) -> bool:
        """Return from here on as text what cannot be read."""
        self._prepare_cursors(_read_as_text)
        return True


def _read_as_text(cursor: Any) -> None:
    from psycopg.pq import Format

    for name in _TYPES:
        oid = cursor.adapters.types[name].oid
        loader = cursor.adapters.get_loader(oid, Format.TEXT)
        cursor.adapters.register_loader(oid, _or_text(loader))


def _or_text(base: Any) -> Any:
    from psycopg import DataError
    from psycopg.adapt import Loader

    class OrText(Loader):
        def __init__(self, oid: int, context: Any = None) -> None:
            super().__init__(oid, context)
            self._load = base(oid, context).load

        def load(self, data: Any) -> Any:
            try:
                return self._load(data)
            except DataError:
                return bytes(data).decode()

    return OrText
