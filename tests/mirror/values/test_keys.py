"""Keys of rows. The rule: two rows are one object only where SQL holds their keys equal, and no two
objects have one key, whatever the mode."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from IndexedRedis import GuardRefusedError, IRField, irNull
from IndexedRedis.fields import IRForeignLinkField
from IndexedRedis.mirror import Mirror

ORDERS = 'SELECT 1 AS id UNION ALL SELECT 2'
LINES = """
    SELECT 1 AS order_id, 1 AS pos, 'pen' AS what UNION ALL SELECT 1, 2, 'ink'
    UNION ALL SELECT 2, 1, 'cup'
"""
PARCELS = """
    SELECT 10 AS id, 1 AS order_no, 2 AS line_no UNION ALL SELECT 11, 2, 1
    UNION ALL SELECT 12, 1, NULL
"""


@pytest.fixture
def shop(make_model):
    """Orders, lines with the key (order, pos), and parcels that link to lines."""
    order = make_model([IRField('id', valueType=int)], ['id'])
    line = make_model(
        [IRForeignLinkField('order', order), IRField('pos', valueType=int), IRField('what')],
        ['order', 'pos'],
    )
    parcel = make_model(
        [
            IRField('id', valueType=int),
            IRField('order_no', valueType=int),
            IRForeignLinkField('line', line),
        ],
        ['id', 'line'],
    )
    return order, line, parcel


def mirror(engine, shop, lines=LINES, parcels=PARCELS, **rules):
    order, line, parcel = shop
    return Mirror(
        engine,
        {order: ORDERS, line: lines, parcel: parcels},
        columns={line: {'order_id': 'order'}, parcel: {('order_no', 'line_no'): 'line'}},
        keys={order: 'id', line: ('order', 'pos'), parcel: 'id'},
        **rules,
    )


def lines_of(shop):
    return {parcel.id: parcel.line and parcel.line.what for parcel in shop[2].objects.all()}


@pytest.mark.parametrize('mode', ['full', 'diff'])
def test_a_composite_key_is_a_target_of_links(lite, shop, mode):
    mirror(lite, shop).run(dryRun=True)
    mirror(lite, shop).run(mode=mode)
    assert lines_of(shop) == {10: 'ink', 11: 'cup', 12: irNull}
    assert {parcel.order_no for parcel in shop[2].objects.all()} == {1, 2}


def test_a_composite_key_identifies_objects(lite, shop):
    before = mirror(lite, shop).run(mode='diff')
    assert [each.written for each in before.models.values()] == [2, 3, 3]
    pks = {obj.what: obj._id for obj in shop[1].objects.all()}
    changed = LINES.replace("'cup'", "'mug'") + "UNION ALL SELECT 2, 2, 'pot'"
    after = mirror(lite, shop, changed).run(mode='diff')
    figures = after.models[shop[1].__name__]
    assert (figures.written, figures.unchanged, figures.removed) == (2, 2, 0)
    assert shop[1].objects.filter(pos=1, order=2).first()._id == pks['cup']
    assert lines_of(shop)[11] == 'mug'
    assert mirror(lite, shop, changed).run(mode='diff').models[shop[1].__name__].unchanged == 4


def test_a_composite_key_that_leads_nowhere(lite, shop):
    with pytest.raises(GuardRefusedError, match=r'line = \(2, 9\) in the row 11'):
        mirror(lite, shop, parcels=PARCELS.replace('11, 2, 1', '11, 2, 9')).run()
    with pytest.raises(GuardRefusedError, match=r"in the link 'line', 'line_no' is no column"):
        mirror(lite, shop, parcels='SELECT 1 AS id, 1 AS order_no').run()


def test_a_table_with_a_composite_key(lite, make_model):
    table = sa.Table(
        'line',
        sa.MetaData(),
        sa.Column('a', sa.Integer, primary_key=True),
        sa.Column('b', sa.Integer, primary_key=True),
        sa.Column('text', sa.String),
    )
    fields = [IRField('a', valueType=int), IRField('b', valueType=int), IRField('text')]
    model = make_model(fields, ['a', 'b'])
    with lite.begin() as connection:
        table.create(connection)
        connection.execute(
            table.insert(), [{'a': a, 'b': b, 'text': 'x'} for a in (1, 2) for b in (1, 2)]
        )
    Mirror(lite, {model: table}, mode='diff').run()
    with lite.begin() as connection:
        connection.execute(table.update().where(table.c.a == 2, table.c.b == 1).values(text='y'))
    assert Mirror(lite, {model: table}).run(mode='diff').models[model.__name__].written == 1
    assert model.objects.filter(a=2, b=1).first().text == 'y'


def test_rows_that_link_to_rows_of_a_composite_key_of_their_own(lite, make_model):
    fields = [IRField('a', valueType=int), IRField('b'), IRForeignLinkField('up', 'Tree')]
    tree = make_model(fields, ['a', 'b'])
    fields[2]._model = tree
    rows = """
        SELECT 1 AS a, 'x' AS b, 2 AS up_a, 'y' AS up_b UNION ALL SELECT 2, 'y', 1, 'x'
        UNION ALL SELECT 3, 'z', 3, 'z' UNION ALL SELECT 4, 'z', 1, 'x'
    """
    columns = {tree: {('up_a', 'up_b'): 'up'}}
    Mirror(lite, {tree: rows}, columns=columns, keys={tree: ('a', 'b')}).run()
    assert {obj.a: obj.up.a for obj in tree.objects.all()} == {1: 2, 2: 1, 3: 3, 4: 1}


TWICE = {
    'the same key': ("SELECT 1 AS id, 'a' AS name UNION ALL SELECT 1, 'b'", 'second row with the'),
    'null': ("SELECT NULL AS id, 'a' AS name", 'whose key, id, is null'),
    'equal once converted': (
        "SELECT '1' AS id, 'a' AS name UNION ALL SELECT '01', 'b'",
        "row '01': its key becomes 1, as that of another row",
    ),
    'equal once converted, the other way': (
        "SELECT '01' AS id, 'a' AS name UNION ALL SELECT 1, 'b'",
        'a second row with the key 1',
    ),
}


@pytest.mark.parametrize('how', [{'dryRun': True}, {}, {'mode': 'diff'}])
@pytest.mark.parametrize('name', TWICE)
def test_keys_that_identify_no_object(lite, make_model, name, how):
    sql, told = TWICE[name]
    model = make_model([IRField('id', valueType=int), IRField('name')], ['id'])
    with pytest.raises(GuardRefusedError, match=f'1 rows do not fit(.|\n)*{told}'):
        Mirror(lite, {model: sql}, keys={model: 'id'}).run(**how)
    report = Mirror(lite, {model: sql}, keys={model: 'id'}, allowEmpty=True).run(
        skipBad=True, **how
    )
    assert report.models[model.__name__].bad == 1


@pytest.mark.parametrize('mode', ['full', 'diff'])
def test_a_link_in_a_key_whose_pk_is_the_foreign_key_of_another_row(lite, shop, mode):
    """Order 2 gets pk 1, and order 1 pk 2."""
    order, line, _ = shop
    selects = {order: 'SELECT 2 AS id UNION ALL SELECT 1', line: LINES}
    mirror_of_lines = Mirror(
        lite,
        selects,
        columns={line: {'order_id': 'order'}},
        keys={order: 'id', line: ('order', 'pos')},
        mode=mode,
    )
    for _ in range(2):
        assert mirror_of_lines.run().models[line.__name__].bad == 0
        assert [obj._id for obj in order.objects.filter(id=2).all()] != [2]
        assert {(obj.order.id, obj.pos): obj.what for obj in line.objects.all()} == {
            (1, 1): 'pen',
            (1, 2): 'ink',
            (2, 1): 'cup',
        }


def test_two_rows_whose_links_in_the_key_lead_to_one_object(lite, make_model):
    order = make_model(['code'], ['code'])
    line = make_model([IRForeignLinkField('order', order)], ['order'])
    mirror = Mirror(
        lite,
        {order: "SELECT 'a' AS code", line: "SELECT 'a' AS \"order\" UNION ALL SELECT 'A'"},
        keys={order: 'code', line: 'order'},
        foldKeys=[order],
    )
    with pytest.raises(GuardRefusedError, match="row 'A': its key becomes 1, as that of another"):
        mirror.run()


def test_a_key_that_becomes_null(lite, make_model):
    """A link takes 0 for no link."""
    other = make_model(['name'])
    model = make_model([IRForeignLinkField('other', other)], ['other'])
    for mode in ('full', 'diff'):
        with pytest.raises(GuardRefusedError, match='row 0: its key becomes null'):
            Mirror(lite, {model: 'SELECT 0 AS other'}, keys={model: 'other'}).run(mode=mode)


def test_a_declared_primary_key_is_checked_too(lite, make_model):
    """SQLAlchemy believes what a program says of a view."""
    with lite.begin() as connection:
        connection.exec_driver_sql('CREATE VIEW v AS SELECT 1 AS id UNION ALL SELECT 1')
    view = sa.Table('v', sa.MetaData(), sa.Column('id', sa.Integer, primary_key=True))
    model = make_model([IRField('id', valueType=int)], ['id'])
    with pytest.raises(GuardRefusedError, match='a second row with the key 1'):
        Mirror(lite, {model: view}).run()


def test_two_late_rows_with_one_key(lite, make_model):
    """They wait for each other in a circle, where no key is stored yet."""
    fields = [IRField('id', valueType=int), IRForeignLinkField('up', 'Node')]
    node = make_model(fields, ['id'])
    fields[1]._model = node
    rows = 'SELECT 1 AS id, 2 AS up UNION ALL SELECT 2, 1 UNION ALL SELECT 2, 1'
    with pytest.raises(GuardRefusedError, match='a second row with the key 2'):
        Mirror(lite, {node: rows}, keys={node: 'id'}).run()


LANDS = "SELECT 'DE' AS code UNION ALL SELECT 'fr'"
CITIES = "SELECT 1 AS id, 'de ' AS land UNION ALL SELECT 2, 'DE' UNION ALL SELECT 3, 'FR'"


@pytest.fixture
def world(make_model):
    land = make_model(['code'], ['code'])
    city = make_model([IRField('id', valueType=int), IRForeignLinkField('land', land)], ['id'])
    return land, city


@pytest.mark.parametrize('fold', ['all', 'lands'])
@pytest.mark.parametrize('mode', ['full', 'diff'])
def test_keys_that_are_folded(lite, world, fold, mode):
    land, city = world
    fold = True if fold == 'all' else [land]
    keys = {land: 'code', city: 'id'}
    for _ in range(2):
        Mirror(lite, {land: LANDS, city: CITIES}, keys=keys, foldKeys=fold).run(mode=mode)
        found = {each.id: each.land.code for each in city.objects.all()}
        assert found == {1: 'DE', 2: 'DE', 3: 'fr'}
    with pytest.raises(GuardRefusedError, match="land = 'de ' in the row 1"):
        Mirror(lite, {land: LANDS, city: CITIES}, keys=keys, foldKeys=[city]).run()


def test_folded_keys_are_distinct(lite, world):
    land, _ = world
    rows = LANDS + " UNION ALL SELECT 'de  '"
    assert Mirror(lite, {land: rows}, keys={land: 'code'}).run().models[land.__name__].written == 3
    with pytest.raises(GuardRefusedError, match="second row with the key 'de'"):
        Mirror(lite, {land: rows}, keys={land: 'code'}, foldKeys=True, maxDrop=None).run()


def test_keys_that_cannot_be_compared(lite, make_model):
    """A key of JSON is refused as a bad row, not by a TypeError of Python."""
    json = sa.select(sa.literal([1, 2], sa.JSON).label('id'))
    model = make_model(['id'])
    with pytest.raises(
        GuardRefusedError, match=r'\.id: a list identifies no row; given was \[1, 2\]'
    ):
        Mirror(lite, {model: json}, keys={model: 'id'}).run()
