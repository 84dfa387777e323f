"""Places in the binlog, and the commits that a snapshot shows.

The rule: a file of the binlog is the same one only if the same server began it at the same second,
so each stored position says both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import quote, unquote

from ..log import Commit

__all__ = ('WRAP', 'BinlogView', 'Position', 'StoredPosition', 'place')

_KIND = 'mariadb'
# Of offsets in events, and in the command that asks for the binlog, there are 32 bits.
WRAP = 1 << 32


class Position(NamedTuple):
    """A place in the binlog; later places are greater."""

    #: the number at the end of the file's name
    number: int
    offset: int
    file: str

    def __str__(self) -> str:
        return f'{self.file}:{self.offset}'

    def after(self, end: int) -> Position:
        """Return the place after the next event.

        :param end: the lower 32 bits of its offset, which is all that an event says
        """
        above = self.offset // WRAP * WRAP
        return self._replace(offset=above + end + (WRAP if above + end < self.offset else 0))


def place(file: str, offset: int) -> Position:
    """Return a place by the name of a file, such as ``binlog.000017``."""
    return Position(int(file.rpartition('.')[2]), offset, file)


class StoredPosition(NamedTuple):
    """A place with what tells its file from others of that name."""

    server: int
    #: when the server began the file, in seconds of Unix time
    created: int
    place: Position

    def __str__(self) -> str:
        file = quote(self.place.file, safe='')
        return f'{_KIND}:{self.server}:{self.created}:{file}:{self.place.offset}'

    @classmethod
    def parsed(cls, text: str) -> StoredPosition | None:
        """Return what a text says; None if it is not a position in a binlog."""
        try:
            kind, server, created, file, offset = text.split(':')
            found = cls(int(server), int(created), place(unquote(file), int(offset)))
        except ValueError:
            return None
        return found if kind == _KIND else None


class BinlogView:
    """The commits of the binlog up to a place.

    :param place: the end of the last commit that the snapshot shows
    :param stored: returns the place with what identifies its file
    """

    def __init__(self, place: Position, stored: Callable[[Position], StoredPosition]) -> None:
        self.place, self._stored = place, stored

    @property
    def position(self) -> str:
        """The view as a text."""
        return str(self._stored(self.place))

    def shows(self, commit: Commit) -> bool:
        """Return whether the snapshot shows a commit."""
        shown: bool = commit.end <= self.place
        return shown
