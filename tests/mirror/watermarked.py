"""A shop with watermarks, in SQL and as models, and what the data has to be after a run."""

from __future__ import annotations

import datetime
from typing import Any

import sqlalchemy as sa

from IndexedRedis import IndexedRedisModel, IRField
from IndexedRedis.fields import IRForeignLinkField
from IndexedRedis.mirror import Mirror

META = sa.MetaData()
NOW = datetime.datetime.now(datetime.UTC).replace(tzinfo=None, microsecond=0)
BASE = NOW - datetime.timedelta(days=30)


def table(name, *columns):
    key = sa.Column('id', sa.Integer, primary_key=True, autoincrement=False)
    return sa.Table(name, META, key, *columns)


# No foreign keys, so that links may dangle.
country = table('country', sa.Column('name', sa.String(50)))
customer = table(
    'customer',
    sa.Column('country', sa.Integer),
    sa.Column('name', sa.String(50)),
    sa.Column('updated_at', sa.DateTime),
    sa.Column('deleted_at', sa.DateTime),
)
order = table(
    'orders',
    sa.Column('customer', sa.Integer),
    sa.Column('amount', sa.Integer),
    sa.Column('updated_at', sa.DateTime),
)


class Country(IndexedRedisModel):
    FIELDS = [IRField('id', valueType=int), IRField('name')]
    INDEXED_FIELDS = ['id']
    KEY_NAME = 'ChangedCountry'


class Customer(IndexedRedisModel):
    FIELDS = [IRField('id', valueType=int), IRForeignLinkField('country', Country), IRField('name')]
    INDEXED_FIELDS = ['id', 'country']
    KEY_NAME = 'ChangedCustomer'


class Order(IndexedRedisModel):
    FIELDS = [
        IRField('id', valueType=int),
        IRForeignLinkField('customer', Customer),
        IRField('amount', valueType=int),
    ]
    INDEXED_FIELDS = ['id', 'amount']
    KEY_NAME = 'ChangedOrder'


SELECTS = {Country: country, Customer: customer, Order: order}
WATERMARKS = {Customer: 'updated_at', Order: 'updated_at'}
DEAD = {'deleted': {Customer: 'deleted_at'}}
NO_WATERMARKS = {model: {'updated_at': None} for model in WATERMARKS}


def mirror_of(engine, **rules):
    given: dict[str, Any] = {'changed': WATERMARKS, 'mode': 'changed', **DEAD}
    return Mirror(engine, SELECTS, **{**given, **rules})


def at(minutes):
    return BASE + datetime.timedelta(minutes=minutes)


def fill(engine):
    """Make two countries, three customers and three orders, some minutes apart."""
    with engine.begin() as connection:
        META.create_all(connection)
        connection.execute(country.insert(), [{'id': n, 'name': f'l{n}'} for n in (1, 2)])
        rows = [{'id': n, 'country': 1, 'name': f'c{n}', 'updated_at': at(n)} for n in (1, 2, 3)]
        connection.execute(customer.insert(), rows)
        rows = [{'id': n, 'customer': n, 'amount': n, 'updated_at': at(n)} for n in (1, 2, 3)]
        connection.execute(order.insert(), rows)


def do(engine, *statements):
    with engine.begin() as connection:
        for each in statements:
            connection.execute(each)


def set_order(key, minutes, **values):
    return order.update().where(order.c.id == key).values(updated_at=at(minutes), **values)


def stored():
    """What is stored: the rows of each model, with the keys that their links lead to."""
    countries = {each.id: each.name for each in Country.objects.all()}
    customers = {
        each.id: (each.country.id if each.country else None, each.name)
        for each in Customer.objects.all(cascadeFetch=True)
    }
    orders = {
        each.id: (each.customer.id if each.customer else None, each.amount)
        for each in Order.objects.all(cascadeFetch=True)
    }
    return countries, customers, orders


def wanted(engine, dangling='null'):
    """What a full run would store: a null in the place of a link that leads nowhere, or no row."""
    known = (lambda key, keys: True) if dangling == 'null' else (lambda key, keys: key in keys)
    with engine.connect() as connection:
        countries = {row.id: row.name for row in connection.execute(sa.select(country))}
        live = sa.select(customer).where(customer.c.deleted_at.is_(None))
        customers = {
            row.id: (row.country if row.country in countries else None, row.name)
            for row in connection.execute(live)
            if row.country is None or known(row.country, countries)
        }
        orders = {
            row.id: (row.customer if row.customer in customers else None, row.amount)
            for row in connection.execute(sa.select(order))
            if row.customer is None or known(row.customer, customers)
        }
    return countries, customers, orders


def step(chance, moment):
    """A change of one row, committed up to four minutes later than its watermark says."""
    late = at(moment - chance.randint(0, 4))
    kind = chance.choice([country, customer, customer, order, order, order])
    key = chance.randint(1, 8)
    values = {
        country: {'name': f'n{moment}'},
        customer: {'name': f'n{moment}', 'country': chance.randint(1, 8), 'updated_at': late},
        order: {'amount': moment, 'customer': chance.randint(1, 8), 'updated_at': late},
    }[kind]
    what = chance.random()
    if what < 0.2:
        return kind.delete().where(kind.c.id == key)
    if what < 0.5:
        missing = ~sa.select(kind.c.id).where(kind.c.id == key).exists()
        columns = {'id': key, **values}
        typed = [sa.literal(columns[each], kind.c[each].type) for each in columns]
        one = sa.select(sa.literal(1).label('one')).subquery()
        return kind.insert().from_select(
            [*columns], sa.select(*typed).select_from(one).where(missing)
        )
    if kind is customer and what < 0.7:
        values['deleted_at'] = chance.choice([late, None])
    return kind.update().where(kind.c.id == key).values(**values)
