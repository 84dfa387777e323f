"""A whole shop: what ``scaffold`` wrote runs unchanged, and each value equals SQLAlchemy's."""

from __future__ import annotations

import inspect
import json
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from IndexedRedis import IndexedRedisModel, irNull
from IndexedRedis.mirror import Mirror
from IndexedRedis.mirror.scaffold import scaffold_database
from mirror.shop_schema import statements
from mirror.sql_samples import SAMPLES
from mirror.written import imported

pytestmark = [
    pytest.mark.skipif(
        'links' not in inspect.signature(Mirror).parameters, reason='the mirror has no join tables'
    ),
    pytest.mark.filterwarnings('ignore:Did not recognize type'),
]
KEYS = {
    'Country': ('code',),
    'PurchaseLine': ('purchase', 'pos'),
    'Specimen': ('product',),
}
TABLES = {
    'Category': 'category',
    'Country': 'country',
    'Customer': 'customer',
    'Product': 'product',
    'Purchase': 'purchase',
    'PurchaseLine': 'purchase_line',
    'Shipment': 'shipment',
    'Specimen': 'specimen',
}
# Samples for which SQLAlchemy has no value to compare with.
INCOMPARABLE = {
    'postgresql': {},
    'mariadb': {'point': 'bytes', '-838:59:59': 'a wrong time of day'},
    'sqlite': dict.fromkeys(('UUID', 'STRING'), 'an error: it takes the type for a number'),
}


@pytest.fixture
def shop(sql, monkeypatch):
    """An engine on the shop, and its kind."""
    monkeypatch.delenv('DATABASE_URL', raising=False)
    kind = 'mariadb' if sql.dialect.name == 'mysql' else sql.dialect.name
    with sql.begin() as connection:
        for statement in statements(kind):
            connection.exec_driver_sql(statement)
    return kind, sql


def rows(kind, engine, name):
    """The rows of a table, as SQLAlchemy gives them."""
    table = sa.Table(name, sa.MetaData(), autoload_with=engine)
    skipped = {
        f'c{number}'
        for number, sample in enumerate(SAMPLES[kind])
        if any(each in f'{sample.kind} {sample.literal}' for each in INCOMPARABLE[kind])
    }
    columns = [each for each in table.columns if each.name not in skipped]
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(sa.select(*columns)).mappings()]


def key_of(obj):
    """The key of an object; a link is the key of its target."""
    parts = [value_of(obj, name) for name in KEYS.get(type(obj).__name__, ('id',))]
    return tuple(parts) if len(parts) > 1 else parts[0]


def value_of(obj, name):
    value = getattr(obj, name)
    if isinstance(value, IndexedRedisModel):
        return key_of(value)
    return None if value is irNull else value


def as_chosen(value, got, kind):
    """A value of SQLAlchemy in the form that the written module chose for its column."""
    if value is None or got is None:
        return value
    if isinstance(got, timedelta) and isinstance(value, time):
        return datetime.combine(date.min, value) - datetime.min
    if isinstance(got, Decimal):
        return Decimal(str(value).lstrip('$').replace(',', ''))
    if isinstance(got, list) and value != got:
        return list(map(str, value))
    if isinstance(value, set):
        return ','.join(sorted(value))
    if hasattr(value, 'bounds'):
        return f'{value.bounds[0]}{value.lower},{value.upper}{value.bounds[1]}'
    if isinstance(got, bool):
        return bool(int(value))
    if isinstance(got, float):
        return float(value)
    if isinstance(value, time) and value.tzinfo:
        return f'{value:%H:%M:%S}+02'
    if isinstance(got, str) and not isinstance(value, str):
        return str(value)
    if kind == 'mariadb' and isinstance(value, str) and value != got:
        return json.loads(value)  # SQLAlchemy does not know that it is JSON
    return value.rstrip(' ') if isinstance(value, str) and got == value.rstrip(' ') else value


def field_of(model, column):
    """The name of the field that a column feeds."""
    names = {field.name for field in model.FIELDS}
    stem = column.rpartition('_')[0]
    return column if column in names else stem


def test_a_shop_reads_back_as_sqlalchemy_gives_it(shop, watch_models):
    kind, engine = shop
    module = imported(scaffold_database(engine))
    assert module.models.keys() == TABLES.keys()
    watch_models(*module.models.values())
    module.mirror.run()
    compared = 0
    for name, model in module.models.items():
        objects = {key_of(obj): obj for obj in model.objects.all()}
        found = rows(kind, engine, TABLES[name])
        assert len(objects) == len(found)
        for row in found:
            values = {field_of(model, column): value for column, value in row.items()}
            parts = [values[part] for part in KEYS.get(name, ('id',))]
            parts = [part.rstrip() if isinstance(part, str) else part for part in parts]
            obj = objects[tuple(parts) if len(parts) > 1 else parts[0]]
            for field, value in values.items():
                got = value_of(obj, field)
                assert got == as_chosen(value, got, kind), (name, field)
                compared += 1
    assert compared > 80
    pairs = {(obj.id, each.id) for obj in module.Product.objects.all() for each in obj.categories}
    joined = rows(kind, engine, 'product_category')
    assert pairs == {(row['product_id'], row['category_id']) for row in joined}
    shipped = module.Shipment.objects.filter(id=1).first().purchase_line
    assert key_of(shipped) == (1, 2)
    assert module.mirror.run(mode='diff').models['Specimen'].unchanged == 2
