"""What a source is: the commands that read the pks of a query, all of one moment."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from typing import Any

from ...expressions.sets import SetExpression
from ...flows import Batch, Command, Flow, chunks

__all__ = ('FIND_MEMBERS', 'PICK_MEMBERS', 'Asked', 'Source', 'read_members')

# Members that FIND may read: of two sets it blocks the server for well under a millisecond, of many
# for 3 ms (SCRIPT_LOOKUPS).
FIND_MEMBERS = 2000
# Members that PICK may read: of two sets it blocks the server for a millisecond or two.
PICK_MEMBERS = 5000
# Members that one command looks up in the set of all pks: about a millisecond.
LOOKED_UP_AT_ONCE = 5000


class Source:
    """Where pks come from."""

    #: the set that may hold a member that is no pk, for messages; None: the set of all pks
    key: bytes | None = None
    #: the set expressions whose union it is; None if it is something else
    expressions: Sequence[SetExpression] | None = None

    def commands(self) -> list[Command]:
        """Return the commands that read the pks."""
        raise NotImplementedError

    def members(self, replies: Sequence[Any]) -> Sequence[bytes]:
        """Return the pks, each once, from the replies to :meth:`commands`."""
        raise NotImplementedError

    def checks(self) -> list[Command]:
        """Return commands whose replies are equal if :meth:`members` gives nothing but pks.

        The last one gives the size of the set of all pks.
        """
        return []

    def find(self, factor: float, rows: int, *arguments: bytes) -> Command | None:
        """Return the script that answers a small result in one trip; None if it would be slow.

        :param factor: how much larger than usual a small result may be
        :param rows: limit of rows
        :param arguments: prefix of data keys, swap marker, record of incarnations, fields
        """
        raise NotImplementedError

    def pick(self, order: str, seed: int, *arguments: bytes) -> Command | None:
        """Return the script that picks one object; None if it would be slow.

        :param order: ``first``, ``last`` or ``random``
        :param arguments: prefix of data keys, record of incarnations, fields
        """
        raise NotImplementedError

    def find_all(self, most: int, *arguments: bytes) -> Command | None:
        """Return the script that gives pks and rows without limits; None if there is none.

        :param most: a number larger than any result
        """
        raise NotImplementedError


class Asked:
    """Commands, each once, and the places of their replies."""

    def __init__(self) -> None:
        self._places: dict[Command, int] = {}

    def place(self, *command: Any) -> int:
        """Add a command; return the index of its reply."""
        return self._places.setdefault(command, len(self._places))

    @property
    def commands(self) -> list[Command]:
        """The commands, in the order in which they were added."""
        return list(self._places)


def read_members(source: Source, *before: Command) -> Flow[tuple[Sequence[bytes], list[Any]]]:
    """Return the pks of a source, and the replies to commands that are sent before.

    Several commands are one transaction, so the pks are those of one moment. A full server refuses
    transactions, so one command is sent alone, between its checks.
    """
    commands, checks = source.commands(), source.checks()
    asked = [*before, *checks, *commands, *checks]
    if len(commands) == 1:
        replies = yield Batch(asked)
    else:
        *_, replies = yield Batch([('MULTI',), *asked, ('EXEC',)])
        for reply in replies:
            if isinstance(reply, Exception):
                raise reply
    first = len(before) + len(checks)
    last = first + len(commands)
    sizes, members = replies[len(before) : first], source.members(replies[first:last])
    if sizes != replies[last:] or any(size != sizes[0] for size in sizes):
        members = yield from _listed(checks[-1][1], members)
    return members, replies[: len(before)]


def _listed(all_pks: bytes, members: Sequence[bytes]) -> Flow[list[bytes]]:
    """Return those of some members that are pks; of a list that is being saved all or none.

    If it is committed between two chunks, its objects in the later ones are pks. Then the others
    are too, when all that were none are looked up once more, by one command.
    """
    listed: set[bytes] = set()
    for some in chunks(members, LOOKED_UP_AT_ONCE):
        (found,) = yield Batch([('SMISMEMBER', all_pks, *some)])
        listed.update(compress(some, found))
    others = [each for each in members if each not in listed]
    if others:
        (found,) = yield Batch([('SMISMEMBER', all_pks, *others)])
        listed.update(compress(others, found))
    return [each for each in members if each in listed]
