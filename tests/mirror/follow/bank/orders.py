"""What a bank does, each within one transaction.

The rule: the tables hold what ``tables.py`` promises at every commit, and not before.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from random import Random
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select, text, update

from mirror.follow.bank.tables import account, owner, transfer

FEWEST, MOST = 20, 100  # accounts
KEPT = 200  # transfers
OTHER = 'the other half of this is missing'


class UndoneError(Exception):
    """The transaction is to be rolled back."""


class Orders:
    """The orders of one writer.

    :param connection: in a transaction
    :param numbers: of new rows, which no other writer has
    """

    def __init__(self, connection: Connection, chance: Random, numbers: Iterator[int]) -> None:
        self._do, self._chance, self._numbers = connection.execute, chance, numbers
        self._connection = connection

    def pay(self) -> None:
        """Move money between two accounts, mostly of two owners."""
        self._move(*self._accounts(2))

    def pay_slowly(self) -> None:
        """Hold the transaction open while others commit."""
        self.pay()
        time.sleep(self._chance.uniform(0, 0.15))
        self.pay()

    def pay_in_part(self) -> None:
        """Take half of the work back."""
        self.pay()
        with self._connection.begin_nested() as savepoint:
            self.rename()
            self._half()
            savepoint.rollback()
        with self._connection.begin_nested():
            self.pay()

    def undo(self) -> None:
        """Roll everything back."""
        self.rename()
        self._half()
        raise UndoneError

    def open(self) -> None:
        """Open an account, with some money of another one."""
        (payer,) = self._accounts(1)
        held = self._do(select(owner.c.id)).scalars().all()
        new = {'id': next(self._numbers), 'owner': self._chance.choice(held), 'balance': 0}
        if len(self._ids()) < MOST:
            self._do(insert(account).values(**new, note='new'))
            self._move(payer, new)

    def close(self) -> None:
        """Close an account; another one gets its money."""
        closed, heir = self._accounts(2)
        if len(self._ids()) > FEWEST:
            self._move(closed, heir, closed['balance'])
            self._forget(closed['id'])
            self._do(delete(account).where(account.c.id == closed['id']))

    def renumber(self) -> None:
        """Change the key of an account."""
        (row,) = self._accounts(1)
        self._forget(row['id'])
        self._do(update(account).where(account.c.id == row['id']).values(id=next(self._numbers)))

    def rename(self) -> None:
        """Rename an owner, which all of its accounts show."""
        name = f'Œwner {self._chance.randrange(10**6)}'
        self._do(update(owner).where(owner.c.id == self._owner()).values(name=name))

    def replace(self) -> None:
        """Have a new owner take over the accounts of another one."""
        query = select(owner).where(owner.c.id == self._owner()).with_for_update()
        for old in self._do(query).mappings():
            new = {**old, 'id': next(self._numbers)}
            self._do(insert(owner).values(**new))
            self._do(update(account).where(account.c.owner == old['id']).values(owner=new['id']))
            self._do(delete(owner).where(owner.c.id == old['id']))

    def annotate(self) -> None:
        """Change all accounts and transfers: more than one script may."""
        self._do(update(account).values(note=f'note {self._chance.random()}'))
        self._do(update(transfer).values(amount=transfer.c.amount + 1))

    def refill(self) -> None:
        """Empty two tables, and fill them again."""
        if self._connection.dialect.name == 'postgresql':
            self._do(text('LOCK TABLE account, transfer'))
        rows = [dict(row) for row in self._do(select(account).with_for_update()).mappings()]
        moves = [dict(row) for row in self._do(select(transfer)).mappings()]
        self._empty(rows, moves)
        self._do(insert(account), rows)
        if moves:
            self._do(insert(transfer), moves)

    def _empty(self, rows: list[Any], moves: list[Any]) -> None:
        if self._connection.dialect.name == 'postgresql':
            self._do(text('TRUNCATE account, transfer'))
            return
        # The TRUNCATE of MariaDB ends the transaction. Others may insert accounts meanwhile.
        for table, some in (transfer, moves), (account, rows):
            self._do(delete(table).where(table.c.id.in_([row['id'] for row in some])))

    def clear(self) -> None:
        """Remove the oldest transfers."""
        ids = sorted(self._do(select(transfer.c.id)).scalars())
        self._do(delete(transfer).where(transfer.c.id.in_(ids[:-KEPT])))

    def _ids(self) -> list[int]:
        return [*self._do(select(account.c.id)).scalars()]

    def _owner(self) -> int:
        return self._chance.choice([*self._do(select(owner.c.id)).scalars()])

    def _accounts(self, count: int) -> list[Any]:
        """Lock some accounts; return them in any order."""
        chosen = self._chance.sample(self._ids(), count)
        query = select(account).where(account.c.id.in_(chosen)).order_by(account.c.id)
        rows = [*self._do(query.with_for_update()).mappings()]
        if len(rows) < count:  # closed meanwhile
            raise UndoneError
        self._chance.shuffle(rows)
        return rows

    def _move(self, payer: Any, payee: Any, amount: int | None = None) -> None:
        amount = self._chance.randrange(1, 100) if amount is None else amount
        for row, change in (payer, -amount), (payee, amount):
            self._add(account, row['id'], account.c.balance, change)
        for row, change in sorted([(payer, -amount), (payee, amount)], key=lambda x: x[0]['owner']):
            self._add(owner, row['owner'], owner.c.total, change)
        new = {'id': next(self._numbers), 'source': payer['id'], 'target': payee['id']}
        self._do(insert(transfer).values(**new, amount=amount))

    def _add(self, table: Any, key: int, column: Any, change: int) -> None:
        self._do(update(table).where(table.c.id == key).values({column: column + change}))

    def _half(self) -> None:
        (row,) = self._accounts(1)
        self._do(update(account).where(account.c.id == row['id']).values(balance=0, note=OTHER))

    def _forget(self, key: int) -> None:
        either = or_(transfer.c.source == key, transfer.c.target == key)
        self._do(delete(transfer).where(either))
