"""Multi links from join tables and arrays. The rule: each row of the join table becomes a link, in
the order of SQL, or is reported."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from IndexedRedis import GuardRefusedError, IRField, UsageError, irNull
from IndexedRedis.fields import IRForeignMultiLinkField
from IndexedRedis.mirror import Mirror

CATEGORIES = "SELECT 7 AS id, 'x' AS name UNION ALL SELECT 8, 'y' UNION ALL SELECT 9, 'z'"
PRODUCTS = 'SELECT 1 AS id UNION ALL SELECT 2 UNION ALL SELECT 3'
JOINS = 'SELECT 1 AS product, 9 AS category UNION ALL SELECT 1, 7 UNION ALL SELECT 3, 8'


@pytest.fixture
def shop(make_model):
    category = make_model([IRField('id', valueType=int), IRField('name')], ['id'])
    fields = [IRField('id', valueType=int), IRForeignMultiLinkField('categories', category)]
    return category, make_model(fields, ['id', 'categories'])


def mirror(engine, shop, joins=JOINS, **rules):
    category, product = shop
    keys = {category: 'id', product: 'id'}
    selects = {product: PRODUCTS, category: CATEGORIES}
    links = {(product, 'categories'): joins}
    return Mirror(engine, selects, keys=keys, links=links, **rules)


def names(model):
    return {
        obj.id: obj.categories and [each.name for each in obj.categories]
        for obj in model.objects.all()
    }


@pytest.mark.parametrize('mode', ['full', 'diff'])
def test_a_join_table(lite, shop, mode):
    mirror(lite, shop).run(dryRun=True)
    for _ in range(2):
        mirror(lite, shop).run(mode=mode)
        assert names(shop[1]) == {1: ['z', 'x'], 2: irNull, 3: ['y']}
    mirror(lite, shop, JOINS.replace('1, 7', '2, 7')).run(mode=mode)
    assert names(shop[1]) == {1: ['z'], 2: ['x'], 3: ['y']}


def test_a_field_named_as_an_attribute(lite, shop):
    category, product = shop
    product.validateModel()
    table = sa.Table(
        'joined', sa.MetaData(), sa.Column('p', sa.Integer), sa.Column('c', sa.Integer)
    )
    with lite.begin() as connection:
        table.create(connection)
        connection.execute(table.insert(), [{'p': 2, 'c': 8}])
    keys, selects = {category: 'id', product: 'id'}, {product: PRODUCTS, category: CATEGORIES}
    Mirror(lite, selects, keys=keys, links={product.categories: table}).run()
    assert names(product) == {1: irNull, 2: ['y'], 3: irNull}


def test_joins_that_lead_nowhere(lite, shop):
    odd = JOINS + ' UNION ALL SELECT 2, 77 UNION ALL SELECT 5, 7 UNION ALL SELECT 1, NULL'
    with pytest.raises(GuardRefusedError, match='3 links lead to no row') as caught:
        mirror(lite, shop, odd).run()
    for text in ('categories = 77 in the row 2', 'categories = None in the row 1',
                 'categories: a join of 5, the key of no row'):  # fmt: skip
        assert text in str(caught.value)
    report = mirror(lite, shop, odd, dangling='null').run()
    assert report.models[shop[1].__name__].dangling == 3
    assert names(shop[1]) == {1: ['z', 'x'], 2: irNull, 3: ['y']}
    report = mirror(lite, shop, odd, dangling='skip', maxDrop=None).run()
    assert report.models[shop[1].__name__].skipped == 2
    assert names(shop[1]) == {3: ['y']}


def test_joins_of_too_many_columns(lite, shop):
    with pytest.raises(GuardRefusedError, match=r'select of 2 columns.*it has 3: a, b, c'):
        mirror(lite, shop, 'SELECT 1 AS a, 7 AS b, 8 AS c').run()


def test_joins_of_composite_and_folded_keys(lite, make_model):
    target = make_model(['land', 'code'], ['land', 'code'])
    model = make_model(['id', IRForeignMultiLinkField('all', target)], ['id'])
    Mirror(
        lite,
        {
            target: "SELECT 'DE' AS land, 'a' AS code UNION ALL SELECT 'DE', 'b'",
            model: "SELECT 'M' AS id",
        },
        keys={target: ('land', 'code'), model: 'id'},
        links={(model, 'all'): "SELECT 'm ', 'de', 'B' UNION ALL SELECT 'M', 'De', 'A '"},
        foldKeys=True,
    ).run()
    assert [each.code for each in model.objects.first().all] == ['b', 'a']
    with pytest.raises(UsageError, match=r'whose key has 2 columns .*links=\{.*selects them'):
        Mirror(
            lite,
            {target: "SELECT 'DE' AS land, 'a' AS code", model: "SELECT 'M' AS id, 1 AS all"},
            keys={target: ('land', 'code'), model: 'id'},
        )


@pytest.mark.parametrize('mode', ['full', 'diff'])
def test_rows_that_link_to_many_of_their_own_model(lite, make_model, mode):
    """In any order, to themselves, and in circles, which only a full swap stores."""
    fields = [IRField('id', valueType=int), IRForeignMultiLinkField('like', 'Thing')]
    thing = make_model(fields, ['id'])
    fields[1]._model = thing
    joins = 'SELECT 1, 3 UNION ALL SELECT 1, 1 UNION ALL SELECT 2, 3 UNION ALL SELECT 3, 2'
    mirror = Mirror(lite, {thing: PRODUCTS}, keys={thing: 'id'}, links={(thing, 'like'): joins})
    assert ('circle' in mirror.run(mode=mode).fallback) is (mode == 'diff')
    found = {obj.id: [each.id for each in obj.like] for obj in thing.objects.all()}
    assert found == {1: [3, 1], 2: [3], 3: [2]}


def test_an_array(lite, shop):
    category, product = shop
    arrays = sa.select(
        sa.literal(1).label('id'), sa.literal([9, 7], sa.JSON).label('categories')
    ).union_all(sa.select(sa.literal(2), sa.literal(None, sa.JSON)))
    keys = {category: 'id', product: 'id'}
    Mirror(lite, {product: arrays, category: CATEGORIES}, keys=keys).run()
    assert names(product) == {1: ['z', 'x'], 2: irNull}
    text = "SELECT 1 AS id, '[9,7]' AS categories"
    with pytest.raises(GuardRefusedError, match=r"row 1: .*takes an array of keys, not '\[9,7\]'"):
        Mirror(lite, {product: text, category: CATEGORIES}, keys=keys, maxDrop=None).run()
    with pytest.raises(GuardRefusedError, match='links= feeds a multi link from a join table'):
        Mirror(lite, {product: 'SELECT 1 AS id', category: CATEGORIES}, keys=keys).run()


def test_an_array_of_pks_of_what_is_not_mirrored(lite, shop):
    category, product = shop
    category(id=1, name='one').save()
    row = sa.literal(1).label('id'), sa.literal([1], sa.JSON).label('categories')
    Mirror(lite, {product: sa.select(*row)}).run()
    assert names(product) == {1: ['one']}


def test_join_tables_and_arrays_of_each_database(sql, make_model):
    """Keys are compared as the server does it, or folded; PostgreSQL has arrays."""
    with sql.begin() as connection:
        for statement in (
            'CREATE TABLE land (code VARCHAR(9) PRIMARY KEY)',
            'CREATE TABLE city (a INTEGER, b VARCHAR(9), PRIMARY KEY (a, b))',
            'CREATE TABLE both_of (a INTEGER, b VARCHAR(9), land VARCHAR(9))',
            "INSERT INTO land VALUES ('DE'), ('fr')",
            "INSERT INTO city VALUES (1, 'x'), (2, 'y')",
            "INSERT INTO both_of VALUES (1, 'X', 'fr'), (1, 'x ', 'DE'), (2, 'Y', 'de ')",
        ):
            connection.exec_driver_sql(statement)
    land = make_model(['code'], ['code'])
    fields = [IRField('a', valueType=int), IRField('b'), IRForeignMultiLinkField('lands', land)]
    city = make_model(fields, ['a', 'b'])
    selects, keys = {land: 'SELECT * FROM land', city: 'SELECT * FROM city'}, {land: 'code'}
    for mode in ('full', 'diff'):
        Mirror(
            sql,
            selects,
            keys={**keys, city: ('a', 'b')},
            links={(city, 'lands'): 'SELECT a, b, land FROM both_of ORDER BY land DESC'},
            foldKeys=True,
            mode=mode,
        ).run()
        found = {each.a: [target.code for target in each.lands] for each in city.objects.all()}
        assert sorted(found[1]) == ['DE', 'fr']
        assert found[2] == ['DE']
    if sql.dialect.name == 'postgresql':
        arrays = "SELECT 5 AS a, 'z' AS b, ARRAY['fr', 'DE'] AS lands"
        Mirror(sql, {**selects, city: arrays}, keys=keys, maxDrop=None).run()
        assert [target.code for target in city.objects.first().lands] == ['fr', 'DE']
