"""What a source is: the commands that read the pks of a query, all of one moment."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from typing import Any

from ....errors import ConflictError
from ...expressions.sets import SetExpression
from ...flows import Batch, Command, Flow, ask, chunks
from ...text import shown

__all__ = ('FIND_MEMBERS', 'PICK_MEMBERS', 'Asked', 'Source', 'read_members')

# Members that FIND may read: of two sets it blocks the server for well under a millisecond, of many
# for 3 ms (SCRIPT_LOOKUPS).
FIND_MEMBERS = 2000
# Members that PICK may read: of two sets it blocks the server for a millisecond or two.
PICK_MEMBERS = 5000
# Members that one command looks up in the set of all pks: about a millisecond.
LOOKED_UP_AT_ONCE = 5000
# How often members are read and looked up, if resets replace the data set meanwhile.
LOOK_UPS = 4
# Pks that tell whether a reset has replaced the data set.
WITNESSES = 5


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

    :raises ConflictError: if resets come faster than members can be looked up
    """
    members, replies, are_pks = yield from _read(source, before)
    if are_pks:
        return members, replies
    all_pks = source.checks()[-1][1]
    # These are pks of the data set that the members are read from; after a reset none of them is.
    witnesses_of = ('SRANDMEMBER', all_pks, WITNESSES)
    for _ in range(LOOK_UPS):
        members, replies, are_pks = yield from _read(source, (*before, witnesses_of))
        witnesses = replies.pop()
        if are_pks:
            return members, replies
        members = yield from _listed(all_pks, members)
        if not witnesses or any((yield from ask('SMISMEMBER', all_pks, *witnesses))):
            return members, replies
    raise ConflictError(
        f'{shown(all_pks)}: resets replaced the data set {LOOK_UPS} times while a query looked up '
        'the members of a range. Read again, or reset less often.'
    )


def _read(
    source: Source, before: Sequence[Command]
) -> Flow[tuple[Sequence[bytes], list[Any], bool]]:
    """Return the members of a source, the replies to commands before, and whether all are pks.

    Several commands are one transaction, so the members are those of one moment. A full server
    refuses transactions, so one command is sent alone, between its checks.
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
    are_pks = sizes == replies[last:] and all(size == sizes[0] for size in sizes)
    return members, list(replies[: len(before)]), are_pks


def _listed(all_pks: bytes, members: Sequence[bytes]) -> Flow[list[bytes]]:
    """Return the members that are pks. Of a list that commits meanwhile, return all or none.

    A commit between two chunks would show only the later ones. So the rest is looked up again,
    until nothing more of it is found.
    """
    listed, others, found = set[bytes](), members, {b''}
    while others and found:
        found = set()
        for some in chunks(others, LOOKED_UP_AT_ONCE):
            found.update(compress(some, (yield from ask('SMISMEMBER', all_pks, *some))))
        listed |= found
        others = [each for each in others if each not in found]
    return [each for each in members if each in listed]
