"""Transactions of very many rows. The rule: readers see all of their rows or none, and the money
that moves with them."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import delete, func, insert, select, update

from mirror.follow.bank.tables import Account, Transfer, account, owner, transfer

ROWS, FULL_ROWS = 5_000, 100_000
FIRST = 10**12  # no writer has such numbers
MOVED = 7


def rows_of(size):
    return [
        {'id': FIRST + number, 'source': 0, 'target': 1, 'amount': MOVED} for number in range(size)
    ]


def pay(connection, amount):
    """Move money from the account 0 to the account 1, which the owners 0 and 1 have."""
    for table, column in (account, account.c.balance), (owner, owner.c.total):
        for key, change in ((0, -amount), (1, amount)):
            values = {column: column + change}
            connection.execute(update(table).where(table.c.id == key).values(values))


class Look(threading.Thread):
    """Notes how many transfers there are, and what the account 0 has."""

    def __init__(self):
        super().__init__(daemon=True)
        self.seen, self.over = [], threading.Event()

    def run(self):
        while not self.over.wait(0.01):
            found = Transfer.objects.count(), Account.objects.filter(id=0).first().balance
            if found not in self.seen[-1:]:
                self.seen.append(found)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        self.over.set()
        self.join()


@pytest.mark.large
@pytest.mark.timeout(900)
def test_a_transaction_of_very_many_rows(engine, history, follower, full, figures):
    size = FULL_ROWS if full else ROWS
    process = follower()
    history.followers += (process,)
    history.seen()
    with Look() as look:
        with engine.begin() as connection:
            pay(connection, MOVED)
            connection.execute(insert(transfer), rows_of(size))
        history.follows_to('transfers', lambda: Transfer.objects.count() == size)
        with engine.begin() as connection:
            connection.execute(update(transfer).values(amount=transfer.c.amount + 1))
            pay(connection, MOVED)
        history.follows_to('balance', lambda: look.seen[-1][1] == 1000 - 2 * MOVED)
        assert history.problems() == []
        with engine.begin() as connection:
            connection.execute(delete(transfer).where(transfer.c.id >= FIRST))
            pay(connection, MOVED)
        history.follows_to('deletion', lambda: Transfer.objects.count() == 0)
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(transfer)) == 0
    process.stop()
    assert history.problems() == []
    # A look asks twice: what it found first may be of the commit before.
    balances = [balance for _, balance in look.seen]
    assert {count for count, _ in look.seen} == {0, size}
    assert balances == sorted(balances, reverse=True)
    figures(f'large transactions in {engine.dialect.name}', rows=3 * size)
