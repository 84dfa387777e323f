"""Values on their way from SQL. The rule: exact, or refused with the row and the remedy."""

from __future__ import annotations

import datetime
import enum

import pytest
import sqlalchemy as sa

from IndexedRedis import GuardRefusedError, IRField, irNull
from IndexedRedis.fields import IRForeignLinkField
from IndexedRedis.mirror import Mirror, attempt
from IndexedRedis.mirror.conversions import conversion

MOMENTS = {
    '2024-05-01': (2024, 5, 1),
    '2024-05-01T12:30:00': (2024, 5, 1, 12, 30),
    '2024-05-01 12:30': (2024, 5, 1, 12, 30),
    '2024-05-01T12:30:00Z': (2024, 5, 1, 12, 30),
    '2024-06-01 12:00:00+02:00': (2024, 6, 1, 10),
}
NO_MOMENTS = ["'2024-06-01 12:00:00.noon'", "'2024-06-01 12:00:00.5Z+2'", "'noon'", '1717236000']


@pytest.fixture
def event(make_model):
    return make_model([IRField('id'), IRField('at', valueType=datetime.datetime)], ['id'])


@pytest.mark.parametrize('text', MOMENTS)
def test_text_of_a_moment(lite, event, text):
    Mirror(lite, {event: f"SELECT 1 AS id, '{text}' AS at"}).run()
    assert event.objects.first().at == datetime.datetime(*MOMENTS[text])


@pytest.mark.parametrize('sql', NO_MOMENTS)
def test_what_is_no_moment(lite, event, sql):
    mirror = Mirror(lite, {event: f'SELECT 7 AS id, {sql} AS at'}, keys={event: 'id'})
    for dry in (True, False):
        with pytest.raises(GuardRefusedError, match=r'row 7: .*\.at: cannot hold .*in the select'):
            mirror.run(dryRun=dry)
    assert event.objects.count() == 0


COLONS = {
    """SELECT '{"active":true}' AS v""": '{"active":true}',
    "SELECT 'see :note' AS v": 'see :note',
    "-- what: x :y\nSELECT 'a' AS v": 'a',
    "SELECT 'a\\:b' AS v": 'a\\:b',
    "SELECT 'C:\\dir\\:x:y' AS v": 'C:\\dir\\:x:y',
    "SELECT ':a: b:' AS v; ": ':a: b:',
    "SELECT 'a::b' AS v": 'a::b',
}


@pytest.mark.parametrize('sql', COLONS)
def test_colons_in_sql(lite, make_model, sql):
    model = make_model([IRField('v')])
    Mirror(lite, {model: sql}).run(progress=lambda *step: None)
    assert model.objects.first().v == COLONS[sql]


class Color(enum.Enum):
    RED = 'red'
    ROUGE = 'red'  # another name of RED
    BLUE = 'blue'


def test_an_enum_is_stored_as_sql_stores_it(lite, make_model):
    values = sa.Enum(Color, values_callable=lambda kind: [each.value for each in kind])
    key = sa.Column('id', sa.Integer, primary_key=True)
    columns = (sa.Column('name', sa.Enum(Color)), sa.Column('value', values))
    table = sa.Table('car', sa.MetaData(), key, *columns)
    with lite.begin() as connection:
        table.create(connection)
        for number, color in enumerate(Color):
            row = {'id': number, 'name': color, 'value': color}
            connection.execute(table.insert(), row)
    model = make_model([IRField('id'), IRField('name'), IRField('value')], ['name'])
    for statement in ('SELECT * FROM car', table):
        Mirror(lite, {model: statement}).run()
        assert [(obj.name, obj.value) for obj in model.objects.allByAge()] == [
            ('RED', 'red'),
            ('BLUE', 'blue'),
        ]
    assert model.objects.filter(name='RED').count() == 1


@pytest.mark.parametrize('kind', [memoryview, bytearray])
def test_blobs_of_all_drivers(kind):
    """psycopg2 gives a memoryview, others a bytearray."""
    assert conversion(IRField('v'), None).convert(kind(b'ab')) == b'ab'


def test_a_type_that_comes_late_is_converted_and_checked(lite, make_model):
    model = make_model([IRField('id', valueType=int), IRField('v')], ['id'])
    many = (
        'WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < {last}) '
        "SELECT id, CASE WHEN id < {last} THEN 'a' ELSE {value} END AS v FROM n"
    )
    Mirror(lite, {model: many.format(last=300, value="x'6162'")}).run()
    assert model.objects.filter(id=300).first().v == 'ab'
    Mirror(lite, {model: many.format(last=300, value='NULL')}).run()
    assert model.objects.filter(id=300).first().v is irNull
    with pytest.raises(GuardRefusedError, match='1 rows do not fit'):
        Mirror(lite, {model: many.format(last=300, value="x'ff'")}).run()


@pytest.mark.parametrize('dry', [True, False])
@pytest.mark.parametrize(
    ('rows', 'problem'),
    [
        ("SELECT 1 AS id, 'a' AS tag UNION ALL SELECT 1, 'b'", 'a second row with the key 1'),
        ("SELECT NULL AS id, 'a' AS tag", 'a row whose key, id, is null'),
    ],
)
def test_keys_are_checked_in_every_mode(lite, make_model, rows, problem, dry):
    model = make_model([IRField('id', valueType=int), IRField('tag')], ['id'])
    for mode in ('full', 'diff'):
        with pytest.raises(GuardRefusedError, match=problem):
            Mirror(lite, {model: rows}, keys={model: 'id'}).run(dryRun=dry, mode=mode)
    assert model.objects.count() == 0


COUNTRIES = [
    'CREATE TABLE land (code VARCHAR(9) PRIMARY KEY)',
    'CREATE TABLE city (id INT PRIMARY KEY, land VARCHAR(9))',
    "INSERT INTO land VALUES ('DE'), ('FR')",
    "INSERT INTO city VALUES (1, 'DE'), (2, 'de'), (3, 'DE ')",
]


@pytest.mark.parametrize('mode', ['full', 'diff'])
def test_keys_that_sql_holds_equal(sql, make_model, mode):
    """The collation decides: MariaDB's ignores case and trailing spaces, the others' do not."""
    land = make_model([IRField('code')], ['code'])
    link = IRForeignLinkField('land', land)
    city = make_model([IRField('id', valueType=int), link], ['id', 'land'])
    with sql.begin() as connection:
        for statement in COUNTRIES:
            connection.exec_driver_sql(statement)
    selects = {land: 'SELECT code FROM land', city: 'SELECT id, land FROM city'}
    mirror = Mirror(sql, selects, keys={land: 'code', city: 'id'}, mode=mode)
    if sql.dialect.name in ('mysql', 'mariadb'):
        mirror.run()
        germany = land.objects.filter(code='DE').first()
        assert {obj.id for obj in city.objects.filter(land=germany)} == {1, 2, 3}
        return
    with pytest.raises(GuardRefusedError, match='2 links lead to no row'):
        mirror.run()


def test_a_text_that_mariadb_holds_equal_to_a_number(empty_database, make_model):
    """It compares them by the digits that the text begins with; a link leads there by '5' only."""
    engine = empty_database('mariadb')
    with engine.begin() as connection:
        for statement in (
            'CREATE TABLE land (id INT PRIMARY KEY)',
            'CREATE TABLE city (id INT PRIMARY KEY, land VARCHAR(9))',
            'INSERT INTO land VALUES (0), (5)',
            "INSERT INTO city VALUES (1, '5'), (2, '5.0'), (3, '5 apples'), (4, 'x'), (5, '')",
        ):
            connection.exec_driver_sql(statement)
    land = make_model([IRField('id', valueType=int)], ['id'])
    city = make_model([IRField('id', valueType=int), IRForeignLinkField('land', land)], ['id'])
    selects = {land: 'SELECT id FROM land', city: 'SELECT id, land FROM city'}
    mirror = Mirror(engine, selects, keys={land: 'id', city: 'id'}, dangling='null')
    assert mirror.run().models[city.__name__].dangling == 3
    found = {each.id: each.land.id for each in city.objects.all() if each.land}
    assert found == {1: 5, 2: 5}


@pytest.mark.parametrize('rule', ['refuse', 'null', 'skip'])
def test_more_keys_than_sql_is_asked_for_are_refused(lite, make_model, monkeypatch, rule):
    """Whatever the rule: nobody knows whether they lead nowhere."""
    monkeypatch.setattr(attempt, 'MAX_QUERIES', 4)
    land = make_model([IRField('code')], ['code'])
    city = make_model([IRField('id', valueType=int), IRForeignLinkField('land', land)], ['id'])
    with lite.begin() as connection:
        connection.exec_driver_sql('CREATE TABLE land (code TEXT COLLATE NOCASE)')
        connection.exec_driver_sql("INSERT INTO land VALUES ('a'), ('b'), ('c'), ('d'), ('e')")
    cities = "SELECT 1 AS id, 'A' AS land UNION SELECT 2, 'B' UNION SELECT 3, 'C'"
    how = {'keys': {land: 'code', city: 'id'}, 'dangling': rule}
    selects = {land: 'SELECT code FROM land', city: cities}
    Mirror(lite, selects, **how).run()
    assert {each.id: each.land.code for each in city.objects.all()} == {1: 'a', 2: 'b', 3: 'c'}
    selects[city] += " UNION SELECT 4, 'D' UNION SELECT 5, 'E'"
    with pytest.raises(GuardRefusedError, match=r'More than 4 keys of links .* foldKeys='):
        Mirror(lite, selects, **how).run()
    assert Mirror(lite, selects, **how, foldKeys=[land]).run().models[city.__name__].dangling == 0


def test_an_aware_moment_whose_year_in_utc_does_not_exist(lite, event):
    early = "SELECT 1 AS id, '0001-01-01T00:00:00+05:00' AS at"
    with pytest.raises(GuardRefusedError, match=r'at: cannot hold .* in UTC its year'):
        Mirror(lite, {event: early}).run()
    assert Mirror(lite, {event: early}, skipBad=True, allowEmpty=True).run().models
