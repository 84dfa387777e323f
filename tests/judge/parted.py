"""The judge's knowledge of partitions: which keys they have, and which edition is true. The rule:
it shares no code with the library, as ``checker.py``, which judges what an edition of a partition
holds.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import re
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from redis.crc import key_slot

from judge.stored_keys import KEEPS, Key, literal

SLOTS = 16384
SHARED = 0  # the edition whose keys all editions of a partition share
POINTER = 'edition'  # the part of a pointer, a fence and a kept mark
OF_ALL = ('next', 'tmp', POINTER)  # the keys that the editions of a partition share
# The record of a model's home slot: the highest number of an edition, and those that are being
# staged, or are to be dropped.
RECORD = b'editions'
LAST = b'last'


@functools.cache
def tags(count: int) -> tuple[bytes, ...]:
    """The hash tag of each partition: the count and the smallest number whose slot is in the middle
    half of the partition's share of the slots."""
    found: list[bytes | None] = [None] * count
    for number in itertools.count():
        tag = b'%d.%d' % (count, number)
        share = key_slot(b'{%b}' % tag) * count / SLOTS
        if found[int(share)] is None and 0.25 <= share % 1 <= 0.75:
            found[int(share)] = tag
            if None not in found:
                return tuple(tag for tag in found if tag)
    raise AssertionError


@dataclasses.dataclass(frozen=True)
class Space:
    """Where the keys of one edition of one partition are."""

    tag: bytes
    edition: int
    name: str

    @property
    def prefix(self) -> bytes:
        return b'_ir_|{%b}:keys:%d:%b:' % (self.tag, self.edition, self.name.encode())


def pattern(name: str) -> bytes:
    """A pattern of the keys of all partitions of a model."""
    return b'_ir_|{*}:keys:*:' + literal(name.encode()) + b':*'


def space_of(key: bytes, name: str) -> Space | None:
    """The partition and edition that a key belongs to; None: it is none of the model's."""
    start = re.escape(name.encode())
    match = re.match(rb'_ir_\|\{(\d+\.\d+)\}:keys:(0|[1-9]\d*):' + start + b':', key)
    return Space(match[1], int(match[2]), name) if match else None


class Editions:
    """What the pointer says, and the keys in each space.

    :param shape: what is known of the model
    :param home: the keys of the home slot
    :param spaces: the keys of the partitions
    """

    def __init__(self, shape: Any, home: list[Key], spaces: dict[Space, list[Key]]) -> None:
        self._shape, self.home, self.spaces = shape, home, spaces
        self._text = next((key.content for key in home if key.part == POINTER), None)
        match = re.fullmatch(rb'([1-9]\d*) ([1-9]\d*)', self._text or b'')
        self.true = (int(match[1]), int(match[2])) if match else None

    def places(self) -> list[tuple[int, Space, Space]]:
        """Of each partition of the true edition: number, its space, and what editions share."""
        if self.true is None:
            return []
        edition, count = self.true
        name = self._shape.name
        return [
            (number, Space(tag, edition, name), Space(tag, SHARED, name))
            for number, tag in enumerate(tags(count))
        ]

    def findings(self, pending: bool) -> Iterator[str]:
        """What is wrong, but for what the true edition holds.

        :param pending: a flip may be under way
        """
        yield from self._of_home()
        yield from self._of_record(pending)
        if self._text is None and any(key.ttl == KEEPS for key in self._all()):
            yield 'there are partitions and no pointer'
        elif self._text is not None and self.true is None:
            yield f'the pointer holds {_show(self._text)}'
        for number, space, shared in self.places():
            yield from self._of_marks(number, space, shared, pending)
        yield from self._strangers()

    def _of_home(self) -> Iterator[str]:
        for key in self.home:
            if key.part not in ('tmp', POINTER):
                yield f'key {_show(key.name)} is not in a partition'
            elif key.part == POINTER and key.ttl != KEEPS:
                yield f'{_show(key.name)} will expire'

    def _of_marks(self, number: int, space: Space, shared: Space, pending: bool) -> Iterator[str]:
        fence, kept = (
            next((key for key in self.spaces.get(each, ()) if key.part == POINTER), None)
            for each in (shared, space)
        )
        told = b'absent' if fence is None else fence.content
        prepared = pending and told.startswith((self._text or b'') + b'>')
        if told != self._text and not prepared:
            expected = _show(self._text or b'')
            yield f'the fence of partition {number} is {_show(told)}, not {expected}'
        if kept is None:
            yield f'partition {number} has no mark of edition {space.edition}'
        for key in (fence, kept):
            if key is not None and key.ttl != KEEPS:
                yield f'{_show(key.name)} will expire'

    def _strangers(self) -> Iterator[str]:
        """Keys of other editions, or of other partitions, that stay though nothing names them."""
        if self.true is None:
            return
        ours = {space for _, *both in self.places() for space in both}
        named = {SHARED, *self.named()}
        for space, keys in self.spaces.items():
            for key in keys:
                right = key.part in OF_ALL if space.edition == SHARED else key.part != 'next'
                if not right:
                    yield f'unknown key {_show(key.name)}'
                elif space not in ours and space.edition not in named and key.ttl == KEEPS:
                    yield f'{_show(key.name)} is of no edition that is true, and stays'

    def _of_record(self, pending: bool) -> Iterator[str]:
        highest = max((space.edition for space in self.spaces), default=0)
        last = self._record().get(LAST, b'')
        if highest > 1 and (not last.isdigit() or int(last) < highest):
            yield f'the last edition on record is {_show(last or b"absent")}, and {highest} exists'
        by = self._record().get(b'by')
        if by not in (None, self._shape.partition_by or b''):
            yield f'the partitions follow {_show(by)}, says the record'
        for number in sorted(self.named()) if not pending else ():
            yield f'edition {number} is still on record'

    def _record(self) -> dict[bytes, bytes]:
        records = (key.content for key in self.home if (key.part, key.rest) == ('tmp', RECORD))
        return next(records, {})

    def named(self) -> set[int]:
        """The editions that the record of the home slot names."""
        return {int(number) for number in self._record() if number.isdigit()}

    def _all(self) -> Iterator[Key]:
        for keys in self.spaces.values():
            yield from keys

    def misplaced(self, number: int, pks: Iterable[bytes], rows: Any) -> Iterator[str]:
        """Objects that belong to other partitions, by their pks or by what they store."""
        assert self.true
        count, by = self.true[1], self._shape.partition_by
        for pk in sorted({*pks, *rows}):
            if pk.isdigit() and int(pk) % count != number:
                yield f'pk {_show(pk)} belongs to partition {int(pk) % count}'
            value = rows.get(pk, {}).get(by)
            if value is not None:
                right = zlib.crc32(self._shape.index_value(by, value)) % count
                if right != number:
                    yield f'{_show(pk)} stores {_show(value)}, which leads to partition {right}'


def _show(text: bytes) -> str:
    return text.decode('utf-8', 'backslashreplace')
