"""Values that drivers change, or cannot read, over real databases. The rule: null only where the
mirror says so, and else the message names model, row, field, value and what to do."""

from __future__ import annotations

import datetime
import re

import pytest
import sqlalchemy as sa

from IndexedRedis import GuardRefusedError, IRField, UsageError, irNull
from IndexedRedis.fields import IRDatetimeField
from IndexedRedis.mirror import Mirror
from mirror.conftest import server

MYSQL_DRIVERS = {'pymysql': 'pymysql', 'mysqlconnector': 'mysql.connector'}
POSTGRESQL_DRIVERS = {'psycopg': 'psycopg', 'psycopg2': 'psycopg2'}


def engines(kind, drivers):
    """A fixture: an engine on an empty database, by each driver."""

    @pytest.fixture(params=[pytest.param(name, marks=server(kind).marks) for name in drivers])
    def engine(request, empty_database):
        pytest.importorskip(drivers[request.param])
        url = empty_database(kind).url.set(drivername=f'{kind}+{request.param}')
        engine = sa.create_engine(url)
        yield engine
        engine.dispose()

    return engine


mysql = engines('mariadb', MYSQL_DRIVERS)
postgresql = engines('postgresql', POSTGRESQL_DRIVERS)


def fill(engine, table, *rows):
    """A table ``t`` of these rows, in a session that takes dates of zeros."""
    with engine.begin() as connection:
        if engine.dialect.name in ('mysql', 'mariadb'):
            connection.exec_driver_sql("SET sql_mode = ''")
        connection.exec_driver_sql(f'CREATE TABLE t (id integer PRIMARY KEY, {table})')
        for row in rows:
            connection.exec_driver_sql(f'INSERT INTO t VALUES ({row})')


@pytest.fixture
def event(make_model):
    return make_model(
        [
            IRField('id', valueType=int),
            IRField('day', valueType=datetime.date),
            IRDatetimeField('at'),
        ],
        indexed=['id'],
    )


def mirrored(model, engine, select='SELECT * FROM t', **options):
    Mirror(engine, {model: select}, keys={model: 'id'}, **options).run()
    return sorted((obj.id, obj.day, obj.at) for obj in model.objects.all())


DAY, MOMENT = datetime.date(2024, 2, 29), datetime.datetime(2024, 2, 29, 10, 20, 30)
GOOD = "1, '2024-02-29', '2024-02-29 10:20:30'"
NULLS = '2, NULL, NULL'
AS_TEXT = 'SELECT id, CAST(day AS CHAR) AS day, CAST(at AS CHAR) AS at FROM t'


def test_a_zero_date_is_null_if_the_mirror_says_so(event, mysql):
    zeros = "3, '0000-00-00', '0000-00-00 00:00:00'"
    fill(mysql, 'day date, at datetime(3)', GOOD, NULLS, zeros)
    expected = [(1, DAY, MOMENT), (2, irNull, irNull), (3, irNull, irNull)]
    assert mirrored(event, mysql, zeroDates='null') == expected
    assert mirrored(event, mysql, AS_TEXT, zeroDates='null', mode='diff') == expected


@pytest.mark.parametrize('dry', [True, False])
@pytest.mark.parametrize('zero', ["'0000-00-00', NULL", "NULL, '0000-00-00 00:00:00'"])
def test_a_zero_date_is_refused_by_default(event, mysql, zero, dry):
    fill(mysql, 'day date, at timestamp NULL', GOOD, NULLS, f'7, {zero}')
    with pytest.raises(GuardRefusedError) as caught:
        Mirror(mysql, {event: 'SELECT * FROM t'}, keys={event: 'id'}).run(dryRun=dry)
    name = 'day' if zero.startswith("'") else 'at'
    told = {
        'pymysql': rf"row 7: {event.__name__}\.{name}: cannot hold '0000-00-00.*zeroDates='null'",
        'mysqlconnector': rf"{event.__name__}: dates with zeros in the column '{name}': 1\. MySQL "
        rf"Connector.*zeroDates='null'.*CAST\({name} AS CHAR\)",
    }
    assert re.search(told[mysql.dialect.driver], str(caught.value))
    assert event.objects.count() == 0


@pytest.mark.parametrize('rule', ['refuse', 'null'])
@pytest.mark.parametrize('day', ['2024-00-01', '2024-02-00'])
def test_a_month_or_day_of_zeros_is_refused_always(event, mysql, rule, day):
    fill(mysql, 'day date, at datetime', GOOD, f"7, '{day}', NULL")
    with pytest.raises(GuardRefusedError, match=r"\.day: cannot hold|in the column 'day': 1\."):
        mirrored(event, mysql, zeroDates=rule)
    with pytest.raises(GuardRefusedError, match=rf"row 7: .*\.day: cannot hold '{day}'"):
        mirrored(event, mysql, AS_TEXT, zeroDates=rule)


def test_nulls_alone_are_nulls(event, mysql):
    fill(mysql, 'day date, at datetime', NULLS)
    assert mirrored(event, mysql) == [(2, irNull, irNull)]


def test_a_column_of_sqlalchemy_and_a_select_of_a_table(event, mysql):
    fill(mysql, 'day date, at datetime', GOOD, "7, '0000-00-00', '0000-00-00'")
    table = sa.Table('t', sa.MetaData(), autoload_with=mysql)
    rows = sa.select(table.c['at'], table.c.id, table.c.day).order_by(table.c.id)
    with pytest.raises(GuardRefusedError, match=r"zeroDates='null'"):
        mirrored(event, mysql, rows)
    assert mirrored(event, mysql, rows, zeroDates='null')[1] == (7, irNull, irNull)


def test_zeros_in_a_column_that_feeds_no_field_are_fine(make_model, mysql):
    model = make_model([IRField('id', valueType=int)], indexed=['id'])
    fill(mysql, 'day date', "1, '0000-00-00'")
    for columns in ({'day': None}, {'DAY': None}):
        mirror = Mirror(mysql, {model: 'SELECT * FROM t'}, {model: columns}, {model: 'id'})
        assert mirror.run().models[model.__name__].written == 1


def test_a_select_that_cannot_be_counted_is_refused_if_a_date_is_null(event, mysql):
    fill(mysql, 'day date, at datetime', NULLS)
    select = 'SELECT t.*, 1 AS other, 2 AS other FROM t'
    mirror = Mirror(mysql, {event: select}, {event: {'other': None}}, {event: 'id'})
    if mysql.dialect.driver == 'pymysql':
        assert mirror.run().models[event.__name__].written == 1
    else:
        with pytest.raises(GuardRefusedError, match=r"in the column 'day': unknown, since the sel"):
            mirror.run()


def test_another_rule_is_refused(event, lite):
    with pytest.raises(UsageError, match="zeroDates is one of 'refuse', 'null', not 'skip'"):
        Mirror(lite, {event: 'SELECT 1'}, zeroDates='skip')


# Values that Python has not, and how the error shows them.
UNREAD = [
    ('date', 'infinity', 'infinity'),
    ('date', '-infinity', '-infinity'),
    ('date', '10000-01-01', '10000-01-01'),
    ('date', '0044-03-15 BC', '0044-03-15 BC'),
    ('timestamp', 'infinity', 'infinity'),
    ('timestamp', '10000-01-01', '10000-01-01 00:00:00'),
    ('timestamp', '0044-03-15 BC', '0044-03-15 00:00:00 BC'),
    ('timestamptz', '-infinity', '-infinity'),
    ('timestamptz', '10000-01-02', r'10000-01-02 00:00:00\+00'),
    ('timestamptz', '0044-03-15 BC', '0044-03-15 00:00:00.* BC'),
    ('time', '24:00', '24:00:00'),
    ('interval', '100000000 years', '100000000 years'),
]
FIELDS = {
    'date': IRField('v', valueType=datetime.date),
    'timestamp': IRDatetimeField('v'),
    'timestamptz': IRDatetimeField('v', aware=True),
    'time': IRField('v', valueType=datetime.time),
    'interval': IRField('v', valueType=datetime.timedelta),
}
READ = {
    'date': "'2024-02-29'",
    'timestamp': "'2024-02-29 10:20'",
    'timestamptz': "'2024-02-29 10:20+00'",
    'time': "'10:20'",
    'interval': "'1 hour'",
}


# A division by zero after more rows than a chunk has.
LATE_ERROR = 'SELECT n AS id, 1 / (1500 - n) AS v FROM generate_series(1, 2000) AS n'


@pytest.mark.parametrize('dry', [True, False])
def test_what_python_has_not_is_refused_row_by_row(make_model, postgresql, dry):
    wrong = {}
    for number, (kind, literal, shown) in enumerate(UNREAD):
        model = make_model([IRField('id', valueType=int), FIELDS[kind]], indexed=['id'])
        name = f't{number}'
        with postgresql.begin() as connection:
            connection.exec_driver_sql("SET timezone = 'UTC'")
            connection.exec_driver_sql(f'CREATE TABLE {name} (id integer, v {kind})')
            connection.exec_driver_sql(
                f"INSERT INTO {name} VALUES (1, {READ[kind]}), (2, NULL), (7, '{literal}')"
            )
        select = f'SELECT id, v FROM {name} ORDER BY id'
        mirror = Mirror(postgresql, {model: select}, keys={model: 'id'})
        with pytest.raises(GuardRefusedError) as caught:
            mirror.run(dryRun=dry)
        told = rf"1 rows do not fit.*row 7: {model.__name__}\.v: cannot hold '{shown}'"
        if not re.search(told, str(caught.value), re.DOTALL):
            wrong[kind, literal] = str(caught.value)
        assert mirror.run(skipBad=True).models[model.__name__].written == 2
    assert wrong == {}


def test_a_column_that_feeds_no_field_may_hold_anything(make_model, postgresql):
    model = make_model([IRField('id', valueType=int)], indexed=['id'])
    fill(postgresql, 'v date', "1, 'infinity'")
    mirror = Mirror(postgresql, {model: 'SELECT * FROM t'}, {model: {'v': None}}, {model: 'id'})
    assert mirror.run().models[model.__name__].written == 1


@pytest.mark.parametrize('select', ['SELECT 1/0 AS id, 1 AS v', LATE_ERROR])
def test_an_error_of_the_server_keeps_its_name(make_model, postgresql, select):
    """It is a DataError like that of a value which the driver cannot read."""
    model = make_model([IRField('id', valueType=int), IRField('v')], indexed=['id'])
    with pytest.raises(sa.exc.DataError, match='division by zero'):
        Mirror(postgresql, {model: select}, keys={model: 'id'}).run()


def test_the_engine_reads_as_before_afterwards(make_model, postgresql):
    model = make_model([IRField('id', valueType=int), IRField('v')], indexed=['id'])
    fill(postgresql, 'v date', "1, '2024-02-29'")
    Mirror(postgresql, {model: 'SELECT * FROM t'}, keys={model: 'id'}).run()
    with postgresql.connect() as connection:
        assert connection.exec_driver_sql('SELECT v FROM t').scalar() == DAY


def test_text_of_sqlite_that_is_not_utf8(make_model, lite):
    model = make_model([IRField('id', valueType=int), IRField('v')], indexed=['id'])
    with lite.begin() as connection:
        connection.exec_driver_sql('CREATE TABLE t (id integer, v text)')
        connection.exec_driver_sql("INSERT INTO t VALUES (1, 'x'), (7, CAST(x'62ff' AS TEXT))")
    mirror = Mirror(lite, {model: 'SELECT id, v FROM t'}, keys={model: 'id'})
    told = rf"row 7: {model.__name__}\.v: cannot hold b'b\\xff'"
    with pytest.raises(GuardRefusedError, match=told):
        mirror.run()
    assert mirror.run(skipBad=True).models[model.__name__].written == 1
    with lite.connect() as connection:
        assert connection.connection.driver_connection.text_factory is str
