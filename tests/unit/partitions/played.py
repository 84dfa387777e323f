"""Plays the database of a partitioned model for flows: pointer, fences and kept marks, no objects.

The rule: a test sees every trip, and may change what is stored before any of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from IndexedRedis._core.flows import Batch, Fenced, Parts, Pause
from IndexedRedis._core.partitions.layout import ShardKeys
from IndexedRedis._core.script import ALL, Script, readable

PUT = Script('put', '-- nothing\nreturn 1')
ALL.remove(PUT)  # it is none of the library

POINTER, LOCK = b'_ir_|Song:keys:edition', b'_ir_|Song:tmp:lock'


def fence_of(number: int, count: int = 3) -> bytes:
    """The key of a fence."""
    return ShardKeys('Song', number, count, 1).fence


def mark_of(number: int, edition: int, count: int = 3) -> bytes:
    """The key of a kept mark."""
    return ShardKeys('Song', number, count, edition).edition


class Played:
    """A database, and an executor for flows on it. ``READ key`` is answered by the key itself.

    :param edition: the one that is true, whole in all partitions; None: nothing was ever stored
    """

    def __init__(self, edition: int | None = 1, count: int = 3) -> None:
        self.hashes: dict[tuple[bytes, bytes], bytes] = {}
        self.data: dict[bytes, bytes] = {}
        #: what happens before a trip, by its number
        self.events: dict[int, Callable[[], Any]] = {}
        #: the names of the commands of each trip; pauses are numbers
        self.trips: list[Any] = []
        if edition is not None:
            self.flip(edition, count)

    def flip(self, edition: int, count: int = 3) -> None:
        """A flip that is complete."""
        self.stage(edition, count)
        self.data[POINTER] = b'%d %d' % (edition, count)
        for number in range(count):
            self.data[fence_of(number, count)] = b'%d %d' % (edition, count)

    def stage(self, edition: int, count: int = 3) -> None:
        """An edition that is staged everywhere."""
        for number in range(count):
            self.data[mark_of(number, edition, count)] = b'1'

    def prepare(self, text: bytes, count: int = 3) -> None:
        """The fences of a flip that is prepared."""
        for number in range(count):
            self.data[fence_of(number, count)] = text

    def run(self, flow: Any) -> Any:
        """Run a flow to its end; return its result."""
        try:
            step = next(flow)
            while True:
                event = self.events.pop(len(self.trips), None)
                if event is not None:
                    event()
                try:
                    outcome = self._perform(step)
                except Exception as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(outcome)
        except StopIteration as stop:
            return stop.value

    def _perform(self, step: Any) -> Any:
        if isinstance(step, Pause):
            self.trips.append(step.seconds)
            return None
        if isinstance(step, Batch):
            self._note(step)
            return self._answer(step)
        assert isinstance(step, Parts)
        self._note(*(batch for _, batch in step.batches))
        return [self._part(batch) for _, batch in step.batches]

    def _note(self, *batches: Batch) -> None:
        commands = [readable(command) for batch in batches for command in batch.commands]
        self.trips.append([each[1] if each[0] == 'EVALSHA' else each[0] for each in commands])

    def _part(self, batch: Batch) -> Any:
        try:
            return self._answer(batch)
        except Exception as error:
            return error

    def _answer(self, batch: Batch) -> list[Any]:
        return [getattr(self, f'_{c[0].lower()}')(*c[1:]) for c in map(readable, batch.commands)]

    def _get(self, key: bytes) -> bytes | None:
        return self.data.get(key)

    def _mget(self, *keys: bytes) -> list[bytes | None]:
        return [*map(self.data.get, keys)]

    def _exists(self, key: bytes) -> int:
        return int(key in self.data)

    def _hget(self, key: bytes, field: bytes) -> bytes | None:
        return self.hashes.get((key, field))

    def _set(self, key: bytes, value: bytes, only: str) -> None:
        assert only == 'NX'
        self.data.setdefault(key, value)

    def _read(self, key: bytes) -> bytes:
        return key

    def _evalsha(self, name: str, count: int, *arguments: Any) -> Any:
        keys, args = arguments[:count], arguments[count:]
        return getattr(self, f'_run_{name}')(*keys, *args)

    def _run_advance(self, key: bytes, value: bytes, number: int) -> bytes:
        found = self.data.get(key, b'0')
        now = int(re.match(rb'\d+', found)[0])  # type: ignore[index]
        if now < number or (now == number and b'>' in found):
            self.data[key] = value
        return self.data[key]

    def _run_note_by(self, key: bytes, value: bytes) -> None:
        self.hashes.setdefault((key, b'by'), value)

    def _run_open_partition(self, fence: bytes, mark: bytes, value: bytes) -> int:
        if self.data.get(fence, value) != value:
            return 0
        self.data[fence], self.data[mark] = value, b'1'
        return 1

    def _run_roll_forward(self, key: bytes, record: bytes, value: bytes, number: int) -> bytes:
        found = self.data.get(key)
        if found is None or int(found.split()[0]) < number:
            self.data[key] = value
        return self.data[key]

    def _run_replace_fence(self, key: bytes, expected: bytes, value: bytes) -> int:
        if self.data.get(key) != expected:
            return 0
        self.data[key] = value
        return 1

    def _run_put_fenced(self, key: bytes, fence: bytes, expected: bytes) -> bytes:
        if self.data.get(fence) != expected:
            raise Fenced(self.data.get(fence, b'absent'))
        return key
