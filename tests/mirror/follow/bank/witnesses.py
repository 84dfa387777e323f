"""Readers in threads, with connections of their own.

The rule: each answer alone shows whether it is of one commit, and no later one is of an earlier
commit.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import redis

from IndexedRedis import irNull
from mirror.follow.bank.tables import SUM, WRITERS, Account, Count, Owner, Transfer

PAUSE = 0.01


def of_accounts(accounts: Iterable[Any]) -> Iterator[str]:
    """What is wrong with all accounts, fetched with their owners."""
    accounts = [*accounts]
    yield from of_sum('accounts', (each.balance for each in accounts))
    totals: dict[int, list[Any]] = defaultdict(list)
    for each in accounts:
        if each.owner in (None, irNull):
            yield f'account {each.id} without owner'
        elif each.owner.name != each.ownerName:
            yield f'account {each.id} of {each.ownerName!r} leads to {each.owner.name!r}'
        else:
            totals[each.owner.id].append(each)
    for some in totals.values():
        if sum(each.balance for each in some) != some[0].owner.total:
            yield f'owner {some[0].owner.id} has another total than its accounts'


def of_sum(what: str, amounts: Iterable[int]) -> Iterator[str]:
    """What is wrong with a sum over all rows."""
    found = sum(amounts)
    if found != SUM:
        yield f'{what} add up to {found}, not {SUM}'


def of_transfers(transfers: Iterable[Any]) -> Iterator[str]:
    """What is wrong with all transfers, fetched with their accounts."""
    for each in transfers:
        if irNull in (each.source, each.target) or None in (each.source, each.target):
            yield f'transfer {each.id} without account'


def of_counts(counts: Iterable[Any]) -> Iterator[str]:
    """What is wrong with all counters."""
    counts = {each.id: each for each in counts}
    values = {number: each.value for number, each in counts.items()}
    if values.keys() != {*range(2 * WRITERS)}:
        yield f'counters {[*values]}'
        return
    for writer in range(WRITERS):
        if values[2 * writer] != values[2 * writer + 1]:
            yield f'half a transaction of writer {writer}: {values}'
    for each in counts.values():
        if values[2 * each.peer + 1] < each.seen:
            yield f'counter {each.id} is of a later moment than those of writer {each.peer}'


class Memory:
    """What one reader saw last."""

    def __init__(self) -> None:
        self._last: dict[Any, Any] = {}

    def of_later(self, now: dict[Any, Any]) -> Iterator[str]:
        """What is wrong with values that never become smaller."""
        for name, value in now.items():
            if name in self._last and value < self._last[name]:
                yield f'{name} goes back from {self._last[name]} to {value}'
        self._last |= now


class Witness(threading.Thread):
    """Reads and judges until it is told to stop."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._over, self._memory = threading.Event(), Memory()
        #: who holds it can do what no reader is to see; then a witness begins anew
        self.closed = threading.Lock()
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []

    def run(self) -> None:
        while not self._over.wait(PAUSE):
            try:
                with self.closed:
                    self.wrong += self._round()
                self.counts['answers'] += 6
            except (redis.ConnectionError, redis.TimeoutError):
                self.counts['refused'] += 1
            except Exception as error:
                self.wrong.append(repr(error))
                return

    def stop(self) -> None:
        """End it."""
        self._over.set()
        self.join()

    def forget(self) -> None:
        """Take what is read from now on for the first."""
        self._memory = Memory()

    def _round(self) -> Iterator[str]:
        yield from of_accounts(Account.objects.all(cascadeFetch=True))
        yield from of_sum('balances', (each.balance for each in Account.objects.all()))
        yield from of_sum('totals', (each.total for each in Owner.objects.all()))
        yield from of_transfers(Transfer.objects.all(cascadeFetch=True))
        counts = Count.objects.all()
        yield from of_counts(counts)
        yield from self._memory.of_later({each.id: each.value for each in counts})
        yield from self._memory.of_later({'mirroredAt': Count.objects.mirroredAt()})
