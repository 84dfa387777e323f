"""A write that stops in the middle until the test lets it go on, and the remains of a dead one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from redis import Redis

from faults.item import Item

# What `leave_dead_writer` needs: no object under these pks, and a counter below them.
RANGE, BROUGHT = range(4, 29), range(41, 44)
# Values of its rows, and their scores.
DEAD = {'name': 'dead', 'n': 0, 'edition': 9}
SCORES = DEAD | {'name': int.from_bytes(b'dead\0\0')}


class Halted(threading.Thread):
    """Runs `act(self)`, which calls :meth:`halt` at one or more places."""

    def __init__(self, act: Callable[[Halted], Any]) -> None:
        super().__init__()
        self._act, self._at_halt, self._further = act, threading.Event(), threading.Event()
        self._free = False
        #: what `act` raised
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            self._act(self)
        except Exception as error:
            self.error = error
        finally:
            self._at_halt.set()

    def halt(self) -> None:
        """Wait here, if this is the thread and it is not to run to its end."""
        if threading.current_thread() is self and not self._free:
            self._further.clear()
            self._at_halt.set()
            assert self._further.wait(30)

    def halfway(self, objs: Iterable[Any], after: int) -> Iterator[Any]:
        """The objects; halts after so many of them."""
        for number, obj in enumerate(objs):
            if number == after:
                self.halt()
            yield obj

    def go_on(self) -> None:
        """Run up to the next halt, or to the end."""
        self._at_halt.clear()
        if self.ident is None:
            self.start()
        elif self.is_alive():
            self._further.set()
        else:
            return
        assert self._at_halt.wait(30)

    def finish(self) -> None:
        """Run to the end."""
        self._free = True
        self._further.set()
        self.join()


def leave_dead_writer(raw: Redis, state: str) -> None:
    """Leave what a killed process leaves: rows of a range and under given pks, and their entries.

    :param state: what the record says of it
    """
    base = '_ir_|Item:'
    raw.hset(f'{base}tmp:resets', 'dead', state)
    raw.sadd(f'{base}tmp:dead:ranges', f'{RANGE.start} {len(RANGE)}')
    if state == 'staging':
        raw.sadd(f'{base}tmp:dead:brought', *BROUGHT)
    for pk in (*RANGE, *(BROUGHT if state == 'staging' else ())):
        raw.hset(f'{base}data:{pk}', mapping=DEAD)
        raw.sadd(f'{base}idx:n:0', pk)
        raw.sadd(f'{base}idx:edition:9', pk)
        for field in Item.SORTED_FIELDS:
            raw.zadd(f'{base}keys:sorted:{field}', {pk: SCORES[field]})
    raw.sadd(f'{base}tmp:touched', f'{base}idx:n:0', f'{base}idx:edition:9')
    raw.expire(f'{base}tmp:touched', 1000)
    raw.set(f'{base}next', BROUGHT.stop - 1)
