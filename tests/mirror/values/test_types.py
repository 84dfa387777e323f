"""SQL values and the fields for them. The rule: what a mirror stores reads back equal to what SQL
has, or the run is refused and names row, field and remedy."""

from __future__ import annotations

import datetime
import decimal
import enum
import json
import uuid

import pytest
import sqlalchemy as sa
from samples.fields import Color, Tone

from IndexedRedis import GuardRefusedError, IRField, UsageError
from IndexedRedis.fields import (
    IRBytesField,
    IRCompressedField,
    IRDatetimeField,
    IRDecimalField,
    IREnumField,
    IRPickleField,
    IRRawField,
)
from IndexedRedis.mirror import Mirror
from IndexedRedis.mirror.conversions import conversion
from IndexedRedis.mirror.rows import FIRST_ROWS

MOMENT = datetime.datetime(2024, 6, 1, 10, tzinfo=datetime.UTC)
SECONDS = int(MOMENT.timestamp())
DECIMAL = decimal.Decimal


def converted(conversion, value):
    return conversion.convert(value) if isinstance(value, conversion.types) else value


class LowerField(IRField):
    """One that stores less than it was given."""

    CAN_INDEX = True

    def _toStorage(self, value):
        return value.lower()


class MuteField(IRField):
    """One that cannot read."""

    def _fromStorage(self, stored):
        raise RuntimeError('not today')


@pytest.fixture
def one(make_model):
    """Makes a model of an id and one more field, `v`."""
    return lambda field: make_model([IRField('id', valueType=int), field], ['id'])


# -- JSON -------------------------------------------------------------------------------------

SCALARS = ['abc', '123', 'true', 'null', '"x"', '[1]', '']
DECODED = [*SCALARS, 123, 1.5, True, [1, '2'], {'a': 'null'}]


@pytest.mark.parametrize('value', DECODED, ids=repr)
def test_json_is_decoded_once(sql, one, value):
    table = sa.Table(
        't', sa.MetaData(), sa.Column('id', sa.Integer, primary_key=True), sa.Column('v', sa.JSON)
    )
    with sql.begin() as connection:
        table.create(connection)
        connection.execute(table.insert(), {'id': 1, 'v': value})
    model = one(IRField('v', valueType=dict))
    for select in (table, 'SELECT id, v FROM t'):
        Mirror(sql, {model: select}).run()
        got = model.objects.first().v
        assert got == value
        assert isinstance(got, type(value))


def test_json_is_no_text(sql, one):
    """A driver may have decoded it; another one gives the text of SQL, which is right."""
    table = sa.Table(
        't', sa.MetaData(), sa.Column('id', sa.Integer, primary_key=True), sa.Column('v', sa.JSON)
    )
    model = one(IRField('v'))
    for value in ('abc', True, 1.5, [1], {'a': None}):
        with sql.begin() as connection:
            table.drop(connection, checkfirst=True)
            table.create(connection)
            connection.execute(table.insert(), {'id': 1, 'v': value})
        with pytest.raises(GuardRefusedError, match=r'\.v: cannot hold .*Cast the column to text'):
            Mirror(sql, {model: table}).run()
        try:
            Mirror(sql, {model: 'SELECT id, v FROM t'}).run()
        except GuardRefusedError as error:
            assert 'Cast the column to text' in str(error)
            assert sql.dialect.name == 'postgresql'
        else:
            assert json.loads(model.objects.first().v) == value


def test_a_decorated_json_column(lite, one):
    class Tags(sa.TypeDecorator):
        impl = sa.JSON
        cache_ok = True

    table = sa.Table(
        't', sa.MetaData(), sa.Column('id', sa.Integer, primary_key=True), sa.Column('v', Tags)
    )
    with lite.begin() as connection:
        table.create(connection)
        connection.execute(table.insert(), {'id': 1, 'v': '123'})
    model = one(IRField('v', valueType=list))
    Mirror(lite, {model: table}).run()
    assert model.objects.first().v == '123'


# -- moments ----------------------------------------------------------------------------------


@pytest.mark.parametrize('number', [SECONDS, SECONDS + 0.25, DECIMAL(SECONDS)])
@pytest.mark.parametrize('aware', [True, False])
def test_numbers_are_moments_where_the_mirror_says_so(lite, one, number, aware):
    model = one(IRDatetimeField('v', aware=aware, microseconds=True))
    select = sa.select(sa.literal(1).label('id'), sa.literal(number, sa.Float()).label('v'))
    if isinstance(number, int):
        select = f'SELECT 1 AS id, {number} AS v'
    for dry in (True, False):
        with pytest.raises(GuardRefusedError, match=r'a number is no moment.*epochs='):
            Mirror(lite, {model: select}).run(dryRun=dry)
    Mirror(lite, {model: select}, epochs={model: ['v']}).run()
    moment = MOMENT + datetime.timedelta(seconds=float(number) - SECONDS)
    assert model.objects.first().v == (moment if aware else moment.replace(tzinfo=None))


@pytest.mark.parametrize('number', ['1e30', '-1e30', '9e999'])
def test_a_number_that_is_no_moment(lite, one, number):
    model = one(IRField('v', valueType=datetime.datetime))
    mirror = Mirror(lite, {model: f'SELECT 1 AS id, {number} AS v'}, epochs={model: ['v']})
    with pytest.raises(GuardRefusedError, match=r'\.v: cannot hold .*no moment'):
        mirror.run()


def test_epochs_name_fields_of_datetimes(lite, one):
    model = one(IRField('v'))
    for names, reason in ((['v'], 'holds no datetimes'), (['w'], "has no field 'w'")):
        with pytest.raises(UsageError, match=reason):
            Mirror(lite, {model: 'SELECT 1 AS id, 1 AS v'}, epochs={model: names})


def test_a_moment_of_any_zone(sql, one):
    """Where SQL has no zones, a field of aware moments refuses."""
    model = one(IRDatetimeField('v', aware=True, microseconds=True))
    texts = {
        'postgresql': "TIMESTAMPTZ '2024-06-01 12:00:00.000001+02:00'",
        'sqlite': "'2024-06-01T12:00:00.000001+02:00'",
    }
    text = texts.get(sql.dialect.name)
    if text:
        Mirror(sql, {model: f'SELECT 1 AS id, {text} AS v'}).run()
        assert model.objects.first().v == MOMENT.replace(microsecond=1)
    plain = "'2024-06-01 12:00:00'" if sql.dialect.name == 'sqlite' else 'CURRENT_DATE'
    with pytest.raises(GuardRefusedError, match=r'\.v: cannot hold .*it has no zone'):
        Mirror(sql, {model: f'SELECT 1 AS id, {plain} AS v'}).run()


# -- what comes back --------------------------------------------------------------------------

FITTING = {
    'numeric': (IRField('v', valueType=DECIMAL), sa.Numeric(20, 10), DECIMAL('0.0000001')),
    'cents': (IRDecimalField('v', decimalPlaces=2), sa.Numeric(10, 2), DECIMAL('19.90')),
    'date': (IRField('v', valueType=datetime.date), sa.Date(), datetime.date(2024, 2, 29)),
    'time': (IRField('v', valueType=datetime.time), sa.Time(), datetime.time(23, 59, 59)),
    'interval': (
        IRField('v', valueType=datetime.timedelta),
        *(sa.Interval(), datetime.timedelta(days=3, seconds=1)),
    ),
    'uuid': (IRField('v', valueType=uuid.UUID), sa.Uuid(), uuid.UUID(int=7)),
    'enum': (IREnumField('v', Color), sa.Enum(Color), Color.RED),
    'enum of text': (IREnumField('v', Tone, by='name'), sa.Enum(Tone), Tone.DARK),
    'bytes': (IRBytesField('v'), sa.LargeBinary(), b'\x00\xff'),
    'compressed': (IRCompressedField('v'), sa.LargeBinary(), b'\x00\xff'),
    'raw': (IRRawField('v'), sa.LargeBinary(), b'\x00\xff'),
    'pickle': (IRPickleField('v'), sa.Date(), datetime.date(2024, 2, 29)),
}


@pytest.mark.parametrize('kind', FITTING)
@pytest.mark.parametrize('mode', ['full', 'diff'])
def test_a_type_and_its_field(sql, one, kind, mode):
    field, sql_type, value = FITTING[kind]
    table = sa.Table(
        't', sa.MetaData(), sa.Column('id', sa.Integer, primary_key=True), sa.Column('v', sql_type)
    )
    with sql.begin() as connection:
        table.create(connection)
        connection.execute(table.insert(), [{'id': 1, 'v': value}, {'id': 2, 'v': None}])
    model = one(field.copy())
    mirror = Mirror(sql, {model: table}, mode=mode)
    assert mirror.run(dryRun=True).models[model.__name__].bad == 0
    mirror.run()
    full, empty = model.objects.allByAge()
    assert (full.v, type(full.v)) == (value, type(value))
    assert not empty.v
    report = mirror.run(mode='diff')
    assert report.models[model.__name__].unchanged == 2


@pytest.mark.parametrize('dry', [True, False])
@pytest.mark.parametrize(
    ('field', 'problem'),
    [
        (LowerField('v'), r"reads as 'ab'"),
        (MuteField('v'), r'cannot be read: not today'),
        (IRField('v', valueType=complex), r'its class cannot read it back'),
    ],
)
def test_what_does_not_come_back_is_refused(lite, one, field, problem, dry):
    model = one(field)
    value = '1j' if field.valueType is complex else 'Ab'
    mirror = Mirror(lite, {model: f"SELECT 1 AS id, '{value}' AS v"}, keys={model: 'id'})
    with pytest.raises(GuardRefusedError, match=rf'row 1: .*\.v: .*{problem}'):
        mirror.run(dryRun=dry)
    assert model.objects.count() == 0


@pytest.mark.parametrize('skip', [True, False])
def test_each_type_of_a_column_is_read_back(lite, one, skip):
    """SQLite's columns have no type: here a text follows many numbers."""

    class PickyField(IRField):
        def _fromInput(self, value):
            return value

        def _toStorage(self, value):
            return repr(value)

        def _fromStorage(self, stored):
            return int(stored)

    numbers = FIRST_ROWS + 10
    rows = ' UNION ALL '.join(
        [f'SELECT {n} AS id, {n} AS v' for n in range(numbers)]
        + [f"SELECT {numbers + n}, 'x{n}'" for n in range(3)]
    )
    model = one(PickyField('v'))
    mirror = Mirror(lite, {model: rows}, keys={model: 'id'}, skipBad=skip)
    if skip:
        assert mirror.run().models[model.__name__].bad == 3
        assert model.objects.count() == numbers
        return
    with pytest.raises(GuardRefusedError, match=r"'x0' does not come back: .*'x0'.*cannot be read"):
        mirror.run()


@pytest.mark.parametrize(
    ('given', 'time'),
    [
        (datetime.timedelta(hours=23, microseconds=1), datetime.time(23, 0, 0, 1)),
        (datetime.time(1, 2), datetime.time(1, 2)),
        (datetime.timedelta(hours=24), None),
        (datetime.timedelta(seconds=-1), None),
    ],
)
def test_the_time_of_mysql(given, time):
    to_time = conversion(IRField('v', valueType=datetime.time), None)
    if time is None:
        with pytest.raises(ValueError, match=r'valueType=datetime\.timedelta'):
            converted(to_time, given)
    else:
        assert converted(to_time, given) == time


def test_a_member_of_another_enum_is_what_sql_stores():
    class Colour(enum.Enum):
        RED = 'red'

    field = IREnumField('v', Colour, by='name')
    to_stored = conversion(field, sa.Enum(Color))
    assert field.fromInput(converted(to_stored, Color.RED)) is Colour.RED
    assert converted(to_stored, Colour.RED) is Colour.RED
