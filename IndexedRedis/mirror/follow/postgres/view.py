"""Which transactions a snapshot of PostgreSQL shows.

The rule: a snapshot says it by numbers of transactions, the log by the order of commits, and
neither follows from the other. Both are in a view.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ..log import Commit, LogLostError

__all__ = ('PostgresView', 'lsn', 'lsn_text')

_XIDS = 1 << 32  # the log has the lower 32 bits of the numbers of transactions


def lsn(text: str) -> int:
    """Return a position of the log as a number."""
    high, _, low = text.partition('/')
    return (int(high, 16) << 32) + int(low, 16)


def lsn_text(number: int) -> str:
    """Return a position of the log as PostgreSQL writes it."""
    return f'{number >> 32:X}/{number & 0xFFFFFFFF:X}'


@dataclass(frozen=True)
class PostgresView:
    """A snapshot of one database, and how far its log went when it was taken."""

    #: number of the database cluster and name of the slot
    log: str
    #: all commits that the snapshot shows end before this position of the log
    wal: int
    #: ``pg_current_snapshot()``: the first transaction that ran, the first that had not begun,
    #: and those between that ran
    snapshot: str
    #: of each followed table, in the order of their names, a digest of its definition
    layout: tuple[str, ...]

    @cached_property
    def _numbers(self) -> tuple[int, frozenset[int]]:
        _, unborn, running = self.snapshot.split(':')
        return int(unborn), frozenset(int(xid) for xid in running.split(',') if xid)

    @property
    def position(self) -> str:
        """The view as a text without spaces."""
        return ';'.join((self.log, lsn_text(self.wal), self.snapshot, '.'.join(self.layout)))

    def shows(self, commit: Commit) -> bool:
        """Return whether the snapshot shows a commit.

        One without a number was made for tables that a view found altered.
        """
        if not commit.id:
            return bool(commit.end.ends <= self.wal)
        unborn, running = self._numbers
        # Of all numbers with these 32 bits, the nearest to those of the snapshot.
        distance = (commit.id - unborn + _XIDS // 2) % _XIDS - _XIDS // 2
        return distance < 0 and unborn + distance not in running

    @classmethod
    def stored(cls, position: str) -> PostgresView:
        """Return the view of a :attr:`position`.

        :raises LogLostError: if it is none
        """
        try:
            log, wal, snapshot, layout = position.split(';')
            view = cls(log, lsn(wal), snapshot, tuple(layout.split('.')))
            _ = view._numbers  # raises if the snapshot is none
            return view
        except ValueError:
            raise LogLostError(
                f'{position!r} is not a position in the log of PostgreSQL. All data has to be '
                'replaced.'
            ) from None
