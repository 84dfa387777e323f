"""Threads that carry out orders at random.

The rule: a writer chooses by its seed alone, and what it counts was committed.
"""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from random import Random
from typing import Any

from sqlalchemy import Connection, Engine, select, update
from sqlalchemy.exc import DBAPIError

from mirror.follow.bank.orders import Orders, UndoneError
from mirror.follow.bank.tables import WRITERS, counter

# How often what is chosen, of a hundred.
WEIGHTS = {
    Orders.pay: 40,
    Orders.pay_slowly: 8,
    Orders.pay_in_part: 10,
    Orders.undo: 6,
    Orders.open: 9,
    Orders.close: 7,
    Orders.renumber: 5,
    Orders.rename: 7,
    Orders.replace: 4,
    Orders.clear: 2,
    Orders.annotate: 1,
    Orders.refill: 2,
}
ROWS_EACH = 10**9
# After each transaction, on average.
PAUSE = 0.003


class Writer(threading.Thread):
    """Commits one transaction after the other, until it is told to stop.

    :param number: of this writer
    """

    def __init__(self, engine: Engine, number: int, seed: str) -> None:
        super().__init__(daemon=True)
        self._engine = engine.execution_options(isolation_level='READ COMMITTED')
        self._number, self._chance = number, Random(f'{seed} {number}')
        self._numbers = itertools.count(ROWS_EACH * (number + 1))
        self._over = threading.Event()
        self.counts: Counter[str] = Counter()
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            while not self._over.wait(self._chance.uniform(0, 2 * PAUSE)):
                self._transaction()
        except BaseException as error:
            self.error = error

    def stop(self) -> None:
        """End it after its transaction.

        :raises Exception: if it could not go on
        """
        self._over.set()
        self.join()
        if self.error:
            raise self.error

    def _transaction(self) -> None:
        (order,) = self._chance.choices([*WEIGHTS], [*WEIGHTS.values()])
        try:
            with self._engine.begin() as connection:
                self._count(connection, 2 * self._number)
                order(Orders(connection, self._chance, self._numbers))
                self._count(connection, 2 * self._number + 1)
        except UndoneError:
            self.counts['rolled back'] += 1
        # A deadlock, or the server is down. When a connection that broke goes back to the pool,
        # the error is the driver's own.
        except (DBAPIError, self._engine.dialect.loaded_dbapi.Error):
            self.counts['failed'] += 1
            self._over.wait(PAUSE)
        else:
            self.counts['commits'] += 1
            self.counts[order.__name__] += 1

    def _count(self, connection: Connection, number: int) -> None:
        """Note what this transaction saw of another writer, in one of its counters."""
        peer = self._chance.randrange(WRITERS)
        query = select(counter.c.value).where(counter.c.id == 2 * peer + 1)
        seen: Any = connection.execute(query).scalar()
        changed = {'value': counter.c.value + 1, 'peer': peer, 'seen': seen}
        connection.execute(update(counter).where(counter.c.id == number).values(changed))
