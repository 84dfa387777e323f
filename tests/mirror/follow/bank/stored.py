"""What is in Redis and in SQL at the end, value by value.

The rule: it shares no code with the library, and reads keys and bytes by plain commands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine, select

from mirror.follow.bank.tables import account, counter, owner, transfer

NULL = b'IRNullType()'
# Of each model the columns, and those that are links to another model.
STORED: dict[str, tuple[list[str], dict[str, str]]] = {
    'BankOwner': (['id', 'name', 'total'], {}),
    'BankAccount': (['id', 'owner', 'ownerName', 'balance', 'note'], {'owner': 'BankOwner'}),
    'BankTransfer': (
        ['id', 'source', 'target', 'amount'],
        {'source': 'BankAccount', 'target': 'BankAccount'},
    ),
    'BankCount': (['id', 'value', 'peer', 'seen'], {}),
}
ACCOUNTS = select(
    account.c.id, account.c.owner, owner.c.name, account.c.balance, account.c.note
).where(account.c.owner == owner.c.id)
IN_SQL: dict[str, Any] = {
    'BankOwner': select(owner.c.id, owner.c.name, owner.c.total),
    'BankAccount': ACCOUNTS,
    'BankTransfer': select(transfer.c.id, transfer.c.source, transfer.c.target, transfer.c.amount),
    'BankCount': select(counter.c.id, counter.c.value, counter.c.peer, counter.c.seen),
}

Row = tuple[bytes | None, ...]


def rows_in_redis(client: Any, name: str) -> Iterator[Row]:
    """The rows of a model, links being the keys that they lead to."""
    columns, links = STORED[name]
    keys = {target: _keys(client, target) for target in links.values()}
    for row in _rows(client, name, columns).values():
        for column, target in links.items():
            place = columns.index(column)
            row[place] = keys[target].get(row[place])
        yield tuple(None if value == NULL else value for value in row)


def _keys(client: Any, name: str) -> dict[bytes | None, bytes]:
    return {pk: key for pk, (key,) in _rows(client, name, ['id']).items()}


def _rows(client: Any, name: str, columns: list[str]) -> dict[bytes, list[Any]]:
    pks = [*client.smembers(f'_ir_|{name}:keys')]
    with client.pipeline(transaction=False) as pipe:
        for pk in pks:
            pipe.hmget(f'_ir_|{name}:data:'.encode() + pk, columns)
        return dict(zip(pks, pipe.execute(), strict=True))


def rows_in_sql(engine: Engine, name: str) -> Iterator[Row]:
    """The rows of a select, as text."""
    with engine.connect() as connection:
        for row in connection.execute(IN_SQL[name]):
            yield tuple(None if value is None else str(value).encode() for value in row)


def differences(engine: Engine, client: Any) -> list[str]:
    """What is in SQL and not in Redis (lost), and what is only in Redis (twice, or gone)."""
    found = []
    for name in STORED:
        stored, right = Counter(rows_in_redis(client, name)), Counter(rows_in_sql(engine, name))
        assert right or name == 'BankTransfer'
        found += [f'lost: {name} {row}' for row in (right - stored).elements()]
        found += [f'twice: {name} {row}' for row in (stored - right).elements()]
    return found
