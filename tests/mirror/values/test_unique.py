"""Rows of SQL that share a value which the model has once: a run names both, or leaves one out."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from IndexedRedis import GuardRefusedError, IndexedRedisModel, IRField
from IndexedRedis.fields import IRForeignLinkField
from IndexedRedis.mirror import Mirror

tables = sa.MetaData()
# Without constraints: SQL allows what the models do not.
shop = sa.Table(
    'shop', tables, sa.Column('id', sa.Integer, primary_key=True), sa.Column('mail', sa.String(50))
)
item = sa.Table(
    'item', tables,
    sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('shop', sa.Integer),
    sa.Column('sku', sa.String(10)),
    sa.Column('part_of', sa.Integer),
)  # fmt: skip


class Shop(IndexedRedisModel):
    KEY_NAME = 'UniqueShop'

    id: IRField[int] = IRField(valueType=int, indexed=True)
    mail: IRField[str] = IRField(unique=True)


class Item(IndexedRedisModel):
    FIELDS = [
        IRField('id', valueType=int),
        IRForeignLinkField('shop', Shop),
        IRField('sku'),
        IRForeignLinkField('part_of', 'Item'),
    ]
    INDEXED_FIELDS = ['id']
    UNIQUE_FIELDS = [('shop', 'sku'), ('part_of', 'sku')]
    KEY_NAME = 'UniqueItem'


SHOPS = [(1, 'a@x'), (2, 'b@x'), (3, None), (4, None)]
ITEMS = [(10, 1, 's', None), (11, 2, 's', 10), (12, 3, 's', 11), (13, None, 's', None)]


@pytest.fixture
def filled(lite, watch_models):
    watch_models(Shop, Item)
    with lite.begin() as connection:
        tables.create_all(connection)
        for table, rows in ((shop, SHOPS), (item, ITEMS)):
            names = table.c.keys()
            values = [dict(zip(names, row, strict=True)) for row in rows]
            connection.execute(table.insert(), values)
    mirror(lite).run()
    return lite


def mirror(engine, **how):
    return Mirror(engine, {Shop: shop, Item: item}, **how)


def change(engine, *statements):
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)


def items():
    return sorted(one.id for one in Item.objects.all())


@pytest.mark.parametrize('mode', ['full', 'diff'])
def test_both_rows_are_named_and_nothing_changes(filled, mode):
    change(
        filled,
        shop.insert().values(id=5, mail='b@x'),
        item.insert().values(id=14, shop=1, sku='s'),
        item.insert().values(id=15, part_of=10, sku='s'),
    )
    with pytest.raises(GuardRefusedError) as caught:
        mirror(filled).run(mode=mode)
    once = 'and UNIQUE_FIELDS allows each value once. Change one of the two rows in SQL'
    rows = 'rows do not fit (skipBad leaves such rows out):'
    assert caught.value.problems == [
        f"Shop: 1 {rows}\n  row 5: Shop.mail: the row 2 has 'b@x' too, {once}",
        f"Item: 2 {rows}\n  row 14: Item.(shop, sku): the row 10 has (1, 's') too, {once}"
        f"\n  row 15: Item.(part_of, sku): the row 11 has (10, 's') too, {once}",
    ]
    assert Shop.objects.count() == 4
    assert items() == [10, 11, 12, 13]


def test_a_dry_run_tells_it_too(filled):
    change(filled, shop.update().values(mail='b@x'))
    with pytest.raises(GuardRefusedError, match=r"row 2: Shop.mail: the row 1 has 'b@x' too"):
        mirror(filled).run(dryRun=True)


@pytest.mark.parametrize('mode', ['full', 'diff'])
def test_the_second_row_is_left_out_by_the_rule(filled, mode):
    change(
        filled,
        shop.insert().values(id=5, mail='b@x'),
        item.update().where(item.c.id == 12).values(shop=2),
        item.insert().values(id=16, part_of=12, sku='t'),
    )
    report = mirror(filled, skipBad=True, dangling='null').run(mode=mode)
    assert report.models['Shop'].bad == report.models['Item'].bad == 1
    assert report.models['Item'].dangling == 1
    assert Shop.objects.filter(id=5).count() == 0
    assert items() == [10, 11, 13, 16]
    assert 'row 12' in str(report)
    change(filled, item.delete().where(item.c.id == 11))
    assert mirror(filled, skipBad=True, dangling='null').run(mode=mode).models['Item'].bad == 0
    assert items() == [10, 12, 13, 16]


def test_a_run_of_changed_rows_leaves_it_to_a_full_one(filled):
    select = sa.select(shop, shop.c.id.label('version'))  # a new row has a higher one
    how = {'changed': {Shop: 'version'}, 'overlap': {Shop: 1}, 'mode': 'changed', 'keepPks': [Shop]}
    Mirror(filled, {Shop: select}, keys={Shop: 'id'}, **how).run()
    change(filled, shop.insert().values(id=5, mail='b@x'))
    with pytest.raises(GuardRefusedError, match=r"row 5: Shop.mail: the row 2 has 'b@x' too"):
        Mirror(filled, {Shop: select}, keys={Shop: 'id'}, **how).run()
    report = Mirror(filled, {Shop: select}, keys={Shop: 'id'}, skipBad=True, **how).run()
    assert report.models['Shop'].bad == 1
    change(filled, shop.insert().values(id=6, mail='a@x'))
    report = Mirror(filled, {Shop: select}, keys={Shop: 'id'}, skipBad=True, **how).run()
    assert report.fallback == 'a row has the same mail as a stored object of another row'
    assert (report.mode, report.models['Shop'].bad) == ('full', 2)


@pytest.mark.parametrize('mode', ['full', 'diff'])
def test_values_that_rows_exchange(filled, mode):
    swapped = {1: 'b@x', 2: 'a@x'}
    for number, mail in swapped.items():
        change(filled, shop.update().where(shop.c.id == number).values(mail=mail))
    mirror(filled).run(mode=mode)
    assert {each.id: each.mail for each in Shop.objects.filter(id__in=[1, 2]).all()} == swapped


def test_rows_in_a_circle(filled):
    change(filled, item.update().where(item.c.id == 10).values(part_of=12))
    mirror(filled).run()
    change(filled, item.insert().values(id=14, shop=1, sku='s'))
    with pytest.raises(GuardRefusedError, match=r'row 10: Item.\(shop, sku\): the row 14 has'):
        mirror(filled).run()


def test_rows_without_a_key(filled):
    change(filled, shop.insert().values(id=5, mail='b@x'))
    Item.deleter.destroyModel()  # or its links would lead nowhere
    keyless = Mirror(filled, {Shop: 'SELECT id, mail FROM shop'})
    with pytest.raises(GuardRefusedError, match=r"\n  Shop.mail: two rows have 'b@x', and UNIQUE"):
        keyless.run()
    assert keyless.run(skipBad=True).models['Shop'].bad == 1
