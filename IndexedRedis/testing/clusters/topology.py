"""What a node of a cluster knows about all nodes: the reply of CLUSTER NODES, parsed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from redis.crc import key_slot

__all__ = ('SLOTS', 'Entry', 'entries', 'moving', 'slot_of')

SLOTS = 16384
DOUBTFUL = {'fail', 'fail?', 'handshake', 'noaddr'}


@dataclass(frozen=True)
class Entry:
    """What is known about one node.

    ``primary`` is the id of the node it follows, empty for a primary. ``slots`` holds ranges, first
    and last included.
    """

    port: int
    primary: str
    slots: tuple[tuple[int, int], ...]
    doubtful: bool

    def has(self, slot: int) -> bool:
        """Whether the node is the primary of a slot."""
        return any(first <= slot <= last for first, last in self.slots)

    @property
    def size(self) -> int:
        """The number of its slots."""
        return sum(last - first + 1 for first, last in self.slots)


def entries(text: str) -> dict[str, Entry]:
    """Return what each line of CLUSTER NODES says, by node id.

    A slot that is marked as migrating belongs to its source.
    """
    return {line.split()[0]: _entry(line.split()) for line in text.splitlines()}


def moving(text: str) -> list[int]:
    """Return the slots that CLUSTER NODES of a node lists as moving from it or to it."""
    return [int(slot) for slot in re.findall(r'\[(\d+)-[<>]-', text)]


def _entry(words: list[str]) -> Entry:
    _, address, flags, primary, *rest = words
    port = int(address.partition('@')[0].rpartition(':')[2])
    ranges = [word.partition('-') for word in rest[4:] if not word.startswith('[')]
    slots = tuple((int(first), int(last or first)) for first, _, last in ranges)
    return Entry(port, primary.strip('-'), slots, bool(DOUBTFUL & {*flags.split(',')}))


def slot_of(key: str | bytes) -> int:
    """Return the slot of a key; its tag, as in ``{Songs}:1``, decides."""
    return key_slot(key.encode() if isinstance(key, str) else key)
