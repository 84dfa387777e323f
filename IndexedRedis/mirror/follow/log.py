"""What a follower needs of a database: its commits in order, and which of them a snapshot shows.

The rule: nothing here knows Redis, and no file outside the folder of a database knows its log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Connection, Engine

from ...errors import MirrorError

__all__ = (
    'MOST_ROWS',
    'ChangeLog',
    'Commit',
    'LogBrokenError',
    'LogLostError',
    'LogSource',
    'Plan',
    'Tables',
    'View',
)

# The rows of one commit that a log keeps the values of. A larger commit names its tables only.
MOST_ROWS = 50_000
# The columns that are wanted of each table that is read: those by which keys are found.
Tables = Mapping[str, tuple[str, ...]]


class LogBrokenError(MirrorError):
    """The connection to the log broke; another one may go on."""


class LogLostError(MirrorError):
    """The log does not reach back to where it was read, or cannot be read any more."""


@dataclass
class Commit:
    """What one transaction changed."""

    #: its number in the database, or in the log
    id: int
    #: where the log goes on after it; only the log that made it reads this
    end: Any
    #: when it was committed, with a time zone
    at: datetime
    #: how many rows it changed, of the tables that are followed
    changes: int = 0
    #: by table, the values of the wanted columns of these rows: before the change, if that is known
    #: and they differ, and after it
    touched: dict[str, set[tuple[Any, ...]]] = field(default_factory=dict)
    #: tables that were truncated or altered, or of which more than ``MOST_ROWS`` rows changed
    whole: set[str] = field(default_factory=set)


class View(Protocol):
    """The commits that a snapshot of the database shows."""

    @property
    def position(self) -> str:
        """The view as a text without spaces, which is stored with what was read in the snapshot."""

    def shows(self, commit: Commit) -> bool:
        """Return whether the snapshot shows a commit."""


class ChangeLog(Protocol):
    """A connection to the log. It begins after what :meth:`applied` told the last one."""

    def at(self, position: str) -> View:
        """Return the view that was stored.

        :raises LogLostError: if the log does not reach back to it, or the text is of another log
        """

    def view(self, connection: Connection) -> View:
        """Return what a snapshot shows: a ``REPEATABLE READ`` transaction that has just begun."""

    def read(self, seconds: float) -> list[Commit]:
        """Return some of the next commits, in order, as soon as there are any.

        :param seconds: how long to wait; then an empty list is returned
        :raises LogBrokenError: if the connection broke
        :raises LogLostError: if the log cannot be read any more
        """

    def read_until(self, view: View) -> list[Commit]:
        """Return all further commits that a view shows, and those between them, in order.

        Later ones may come with them. It waits until the database has them on its disk.
        """

    def applied(self, view: View, waiting: Sequence[Commit]) -> None:
        """Let the database forget the log up to here.

        :param view: what Redis holds safely
        :param waiting: commits that were returned and that the view does not show
        """

    def lag(self) -> int:
        """Return how many bytes of the log come after what was applied."""

    def close(self) -> None:
        """Close the connection."""


class Plan(NamedTuple):
    """What has to happen before a log can be followed."""

    #: what cannot be done from here: settings of the server, rights; a sentence each, with a remedy
    problems: list[str]
    #: SQL statements, in order
    statements: list[str]
    #: what can go on as it is, but better would not; a sentence each, with a remedy
    warnings: Sequence[str] = ()


class LogSource(Protocol):
    """One kind of database; each folder beside this file has one."""

    def name_of(self, connection: Connection, table: str, schema: str | None) -> str | None:
        """Return the name that the log has for a table; None if the database lacks the table."""

    def plan(self, connection: Connection, name: str, tables: Tables) -> Plan:
        """Return what is missing to follow these tables.

        :param name: of the mirror: letters, digits and underscores
        """

    def prepare(self, connection: Connection, plan: Plan) -> None:
        """Carry out the statements of a plan."""

    def drop(self, connection: Connection, name: str) -> list[str]:
        """Remove what :meth:`prepare` made; return it as SQL statements."""

    def release(self, connection: Connection, name: str) -> None:
        """End the connection of another reader, which is suspended and has lost its locks."""

    def kept(self, connection: Connection, name: str) -> int:
        """Return how many bytes of its log the database keeps on its disk for a mirror.

        :raises UsageError: if it deletes its log whoever has read it
        """

    def forget(self, connection: Connection, name: str) -> bool:
        """Have the database keep no log for a mirror, unless a reader is connected.

        :returns: whether it keeps none now
        """

    def open(self, engine: Engine, name: str, tables: Tables) -> ChangeLog:
        """Connect to the log.

        :raises LogLostError: if what :meth:`prepare` made is gone
        """
