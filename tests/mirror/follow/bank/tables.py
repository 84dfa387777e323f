"""The bank in SQL and as models.

The rule: in every commit all balances add up to ``SUM``, those of an owner to its ``total``, and
both counters of a writer are equal.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    MetaData,
    String,
    Table,
    insert,
    select,
)

from IndexedRedis import IndexedRedisModel, IRField
from IndexedRedis.fields import IRForeignLinkField
from IndexedRedis.mirror import Mirror

WRITERS, OWNERS, ACCOUNTS, OPENING = 4, 8, 60, 1000
SUM = ACCOUNTS * OPENING
# More objects than the script of one round changes: then all data is replaced.
MOST = 150

metadata = MetaData()


def _table(name: str, *columns: Any) -> Table:
    key = Column('id', BigInteger, primary_key=True, autoincrement=False)
    return Table(name, metadata, key, *columns)


def _link(name: str, target: str) -> Column[Any]:
    return Column(name, ForeignKey(f'{target}.id'), nullable=False)


owner = _table('owner', Column('name', String(60)), Column('total', BigInteger))
account = _table(
    'account',
    _link('owner', 'owner'),
    Column('balance', BigInteger, nullable=False),
    Column('note', String(200)),
)
transfer = _table(
    'transfer', _link('source', 'account'), _link('target', 'account'), Column('amount', BigInteger)
)
# Two of each writer, the first and the last thing that a transaction of it changes. ``seen`` is the
# value that it saw in the counters of another writer, the ``peer``.
counter = _table(
    'counter', Column('value', BigInteger), Column('peer', BigInteger), Column('seen', BigInteger)
)


def _model(name: str, *fields: Any) -> Any:
    body = {
        'FIELDS': [IRField('id', valueType=int), *fields],
        'INDEXED_FIELDS': ['id', *(f for f in fields if isinstance(f, IRForeignLinkField))],
        'KEY_NAME': f'Bank{name}',
        '__module__': __name__,
    }
    return type(IndexedRedisModel)(name, (IndexedRedisModel,), body)


def _number(name: str) -> IRField:
    return IRField(name, valueType=int)


Owner = _model('Owner', IRField('name'), _number('total'))
Account = _model(
    'Account',
    IRForeignLinkField('owner', Owner),
    IRField('ownerName'),
    _number('balance'),
    IRField('note'),
)
Transfer = _model(
    'Transfer',
    IRForeignLinkField('source', Account),
    IRForeignLinkField('target', Account),
    _number('amount'),
)
Count = _model('Count', _number('value'), _number('peer'), _number('seen'))

SELECTS: dict[Any, Any] = {
    Owner: select(owner),
    Account: select(account, owner.c.name.label('ownerName')).join(owner),
    Transfer: select(transfer),
    Count: select(counter),
}
MODELS = (*SELECTS,)


def mirror_of(database: Any, **options: Any) -> Mirror:
    """The mirror of the bank."""
    rules = {'maxDrop': None, 'allowEmpty': True, 'maxChanges': MOST, 'name': 'bank'}
    return Mirror(database, SELECTS, keys=dict.fromkeys(MODELS, 'id'), **{**rules, **options})


def fill(connection: Connection) -> None:
    """Make the tables, and the accounts of the first day."""
    metadata.create_all(connection)
    share = ACCOUNTS // OWNERS, ACCOUNTS % OWNERS
    counts = [share[0] + (number < share[1]) for number in range(OWNERS)]
    rows = [
        {'id': number, 'name': f'Öwner {number}', 'total': OPENING * count}
        for number, count in enumerate(counts)
    ]
    connection.execute(insert(owner), rows)
    rows = [
        {'id': number, 'owner': number % OWNERS, 'balance': OPENING} for number in range(ACCOUNTS)
    ]
    connection.execute(insert(account), rows)
    rows = [{'id': number, 'value': 0, 'peer': 0, 'seen': 0} for number in range(2 * WRITERS)]
    connection.execute(insert(counter), rows)
