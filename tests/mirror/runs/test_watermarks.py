"""Watermarks: which there are, how they move on with the clock, and what is refused."""

from __future__ import annotations

import datetime
import decimal
import json
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from IndexedRedis import IndexedRedisModel, IRField, MirrorError, UsageError
from IndexedRedis.fields import IRForeignLinkField, IRForeignMultiLinkField
from IndexedRedis.mirror import Mirror
from IndexedRedis.mirror.recurring.marks import Clock, FullRunError, Mark, marked
from IndexedRedis.testing.databases import missing
from mirror.watermarked import (
    DEAD,
    NOW,
    Country,
    Customer,
    Order,
    country,
    customer,
    do,
    fill,
    mirror_of,
    order,
)


@contextmanager
def numbered(engine, watch_models, **rules):
    """A mirror of one table with numbers of versions."""
    versions = sa.Table(
        'doc',
        sa.MetaData(),
        sa.Column('id', sa.Integer, primary_key=True, autoincrement=False),
        sa.Column('version', sa.BigInteger),
    )

    class Doc(IndexedRedisModel):
        FIELDS = [IRField('id', valueType=int), IRField('version', valueType=int)]
        INDEXED_FIELDS = ['id']
        KEY_NAME = 'ChangedDoc'

    watch_models(Doc)
    with engine.begin() as connection:
        versions.create(connection)
        connection.execute(versions.insert(), [{'id': n, 'version': n} for n in range(1, 9)])
    yield (
        Doc,
        versions,
        Mirror(
            engine, {Doc: versions}, mode='changed', changed={Doc: 'version'}, maxDrop=None, **rules
        ),
    )


def test_numbers_need_an_overlap(lite, watch_models):
    needed = pytest.raises(UsageError, match=r'Doc.version: it holds numbers, so overlap=')
    with numbered(lite, watch_models) as (_, _, mirror), needed:
        mirror.run()


def test_numbers_of_versions(sql, watch_models):
    with numbered(sql, watch_models, overlap=2) as (doc, versions, mirror):
        mirror.run()
        do(sql, versions.update().where(versions.c.id == 1).values(version=12))
        report = mirror.run()
        assert (report.fallback, report.models['Doc'].read) == ('', 4)  # 6, 7, 8 and 12
        do(sql, versions.update().where(versions.c.id == 2).values(version=10))
        assert mirror.run().models['Doc'].written == 1
        do(sql, versions.delete().where(versions.c.id == 1))
        assert 'the highest one went back from 12 to 10' in mirror.run().fallback
        assert mirror.run().fallback == ''
        assert {each.id: each.version for each in doc.objects.all()}[2] == 10


def test_numbers_may_have_other_overlaps_than_moments(lite, watch_models):
    with numbered(lite, watch_models) as (doc, versions, _):
        mirror = Mirror(
            lite,
            {doc: versions},
            mode='changed',
            changed={doc: 'version'},
            overlap={doc: 100},
        )
        mirror.run()
        assert mirror.run().models['Doc'].read == 8


@pytest.mark.skipif(bool(missing('postgresql')), reason='PostgreSQL is not installed')
@pytest.mark.databases
def test_moments_with_a_time_zone(empty_database, watch_models, raw):
    sql = empty_database('postgresql')
    key, at = sa.Column('id', sa.Integer, primary_key=True), sa.Column('at', sa.DateTime(True))
    zoned = sa.Table('zoned', sa.MetaData(), key, at)

    class Zoned(IndexedRedisModel):
        FIELDS = [IRField('id', valueType=int), IRField('at', valueType=datetime.datetime)]
        INDEXED_FIELDS = ['id']
        KEY_NAME = 'ChangedZoned'

    watch_models(Zoned)
    tokyo = datetime.timezone(datetime.timedelta(hours=9))
    with sql.begin() as connection:
        zoned.create(connection)
        connection.execute(zoned.insert(), [{'id': 1, 'at': datetime.datetime.now(tokyo)}])
    mirror = Mirror(sql, {Zoned: zoned}, mode='changed', changed={Zoned: 'at'})
    mirror.run()
    do(sql, zoned.insert().values(id=2, at=datetime.datetime.now(datetime.UTC)))
    assert (mirror.run().fallback, Zoned.objects.count()) == ('', 2)
    assert b'["moment","' in raw.get('_ir_|ChangedZoned:tmp:mirrored')
    assert Zoned.objects.mirroredAt() is not None


def test_a_text_is_no_watermark(lite, watch_models):
    watch_models(Country, Order)
    fill(lite)
    mirror = Mirror(
        lite,
        {Country: country, Order: 'SELECT id, amount, customer, updated_at FROM orders'},
        keys={Order: 'id'},
        defaults={Order: ['customer']},
        columns={Order: {'customer': None}},
        mode='changed',
        changed={Order: 'updated_at'},
    )
    with pytest.raises(
        UsageError, match=r"Order.updated_at: '.*' cannot be a watermark.*unixepoch"
    ):
        mirror.run()


def test_a_link_is_part_of_a_key(sql, watch_models):
    class Line(IndexedRedisModel):
        FIELDS = [IRForeignLinkField('customer', Customer), IRField('id', valueType=int)]
        INDEXED_FIELDS = ['customer', 'id']
        KEY_NAME = 'ChangedLine'

    watch_models(Country, Customer, Line)
    fill(sql)
    mirror = Mirror(
        sql,
        {
            Country: country,
            Customer: customer,
            Line: sa.select(order.c.customer, order.c.id, order.c.updated_at),
        },
        keys={Line: ('customer', 'id')},
        mode='changed',
        changed={Customer: 'updated_at', Line: 'updated_at'},
        dangling='skip',
        **DEAD,
    )
    mirror.run()
    new = order.insert().values(id=4, customer=1, updated_at=NOW)
    do(sql, new, order.update().where(order.c.id == 2).values(customer=3, updated_at=NOW))
    report = mirror.run()
    assert 'stored in another form' in report.fallback  # its old key went
    do(sql, order.insert().values(id=5, customer=1, updated_at=NOW))
    assert mirror.run().fallback == ''
    lines = Line.objects.all(cascadeFetch=True)
    assert {(each.customer.id, each.id) for each in lines} == {
        (1, 1),
        (3, 2),
        (3, 3),
        (1, 4),
        (1, 5),
    }


def hour(number, minute=0):
    return datetime.datetime(2026, 10, 25) + datetime.timedelta(hours=number, minutes=minute)


def clock(utc, zone=0, ours=None):
    """The clock of a database whose time zone is some hours ahead of UTC."""
    return Clock(utc + datetime.timedelta(hours=zone), utc, ours or utc)


FIVE = datetime.timedelta(minutes=5)


def test_the_mark_is_the_highest_value_and_moves_on_with_the_clock():
    mark = marked('x', [hour(7), hour(9), None], Mark(), None, clock(hour(10)))
    assert mark.value == hour(9)
    assert mark.low(None, clock(hour(11))) == hour(9) - FIVE
    mark = marked('x', [hour(9)], mark, None, clock(hour(11)))
    assert mark.value == hour(10)
    assert marked('x', [], mark, None, clock(hour(12))).value == hour(11)
    assert marked('x', [], Mark(), None, clock(hour(12))).low(None, clock(hour(13))) is None


def test_it_is_never_after_the_clock_in_whatever_time_zone_the_values_are():
    for zone in (-5, 0, 2):
        mark = marked('x', [hour(99)], Mark(), None, clock(hour(10), zone))
        assert mark.value == hour(10) + datetime.timedelta(hours=min(zone, 0))


@pytest.mark.parametrize('zone', [-5, 0, 2])
@pytest.mark.parametrize('local', [False, True])
def test_no_change_is_lost_when_summer_time_ends(zone, local):
    """Rows that change each ten minutes, and runs each 30, while the clock goes back by an hour."""

    def time_zone(utc):
        return zone if utc < hour(3) else zone - 1

    mark, last = Mark(), None
    for step in range(36):
        utc = hour(0, 10 * step)
        frame = datetime.timedelta(hours=time_zone(utc) if local else 0)
        changes = [] if last is None else last
        changes.append(utc + frame)
        last = changes
        if step % 3:
            continue
        now = clock(utc, time_zone(utc))
        low = mark.low(None, now)
        assert low is None or all(low <= change for change in changes)
        mark = marked('x', changes, mark, None, now)
        last = None


def test_a_clock_of_the_database_that_is_set_back_is_noticed():
    mark = marked('x', [hour(10)], Mark(), None, clock(hour(10)))
    back = clock(hour(8, 30), ours=hour(10, 30))
    assert mark.low(None, back) <= hour(8) - FIVE


def test_dates_and_numbers():
    day = datetime.date(2026, 10, 24)
    mark = marked('x', [day], Mark(), None, clock(hour(10)))
    assert mark.low(None, clock(hour(11))) == datetime.date(2026, 10, 23)
    assert marked('x', [7, 9], Mark(), 2.5, clock(hour(1))).low(2.5, clock(hour(2))) == 6
    with pytest.raises(FullRunError, match='its type changed'):
        marked('x', [7], mark, 1, clock(hour(11)))


@pytest.mark.parametrize(
    'value',
    [
        hour(1, 1),
        hour(1).replace(tzinfo=datetime.timezone(FIVE)),
        datetime.date(2026, 1, 1),
        2**63,
        decimal.Decimal('12345678901234567890'),
        0.1,
    ],
)
def test_a_mark_is_stored_exactly(value):
    mark = marked('x', [value], Mark(), 1, clock(hour(10)))
    assert Mark.of_texts(*json.loads(json.dumps(mark.texts()))) == mark


@pytest.mark.parametrize(
    ('value', 'overlap', 'reason'),
    [
        ('2026', None, "'2026' cannot be a watermark"),
        (True, 1, 'True cannot be a watermark'),
        (b'1', 1, "b'1' cannot be a watermark"),
        (5, None, 'it holds numbers'),
        (hour(1), -1, 'overlap is negative'),
        (5, -1, 'overlap is negative'),
    ],
)
def test_what_is_no_watermark(value, overlap, reason):
    with pytest.raises(UsageError, match=reason):
        marked('x', [value], Mark(), overlap, clock(hour(10)))


@pytest.mark.parametrize(
    ('values', 'overlap'),
    [
        ([hour(1), 'infinity'], None),
        (['-infinity'], None),
        ([1, decimal.Decimal('NaN'), 2], 1),
        ([0.5, float('inf')], 1),
        ([hour(1), 'noon'], None),
    ],
)
def test_a_watermark_that_has_no_place_among_the_others(values, overlap):
    with pytest.raises(
        MirrorError, match=r'x: the watermark .*(inf|NaN|noon).* cannot be compared.*NULLIF'
    ):
        marked('x', values, Mark(), overlap, clock(hour(10)))


def test_a_date_with_zeros_is_no_watermark_but_a_row_may_have_it():
    """Drivers of MariaDB give it as text; its IS NULL finds such rows, so each run reads them."""
    zeros = ['0000-00-00 00:00:00', '0000-00-00', None]
    assert marked('x', zeros, Mark(), None, clock(hour(10))) == Mark()
    mark = marked('x', [*zeros, hour(9)], Mark(), None, clock(hour(10)))
    assert mark.value == hour(9)


def mirror_by_at(engine, model, select, **how):
    """A mirror of one model whose watermark is the column `at`, which feeds no field."""
    keys = {'keys': {model: 'id'}, **how}
    return Mirror(
        engine, {model: select}, columns={model: {'at': None}}, changed={model: 'at'},
        mode='changed', **keys,
    )  # fmt: skip


def test_infinity_of_postgresql_is_told(empty_database, make_model):
    engine = empty_database('postgresql')
    do(
        engine,
        sa.text('CREATE TABLE t (id int PRIMARY KEY, at timestamp)'),
        sa.text('INSERT INTO t VALUES (1, now()), (2, now())'),
    )
    model = make_model([IRField('id', valueType=int)], ['id'])
    mirror = mirror_by_at(engine, model, 'SELECT id, at FROM t')
    mirror.run()
    do(engine, sa.text("UPDATE t SET at = 'infinity' WHERE id = 2"))
    with pytest.raises(MirrorError, match="at: the watermark 'infinity' cannot be compared"):
        mirror.run()
    do(engine, sa.text('UPDATE t SET at = NULL WHERE id = 2'))
    assert mirror.run().mode == 'changed'


class Tagged(IndexedRedisModel):
    FIELDS = [IRField('id', valueType=int), IRForeignMultiLinkField('countries', Country)]
    INDEXED_FIELDS = ['id']
    KEY_NAME = 'ChangedTagged'


@pytest.mark.parametrize(
    ('rules', 'reason'),
    [
        ({'changed': None}, "mode='changed' needs changed="),
        ({'changed': {Order: 'updated'}}, "changed= names 'updated', which the select does not"),
        ({'changed': {Order: 'updated_at', Tagged: 'x'}}, 'needs a select for each of its models'),
        ({'deleted': {Customer: 'gone'}}, "deleted= names 'gone', which the select does not"),
        ({'foldKeys': True}, 'changed= does not go with foldKeys'),
        ({'keys': {Order: 'customer'}}, 'need keys='),
        ({'mode': 'half'}, 'mode is one of'),
    ],
)
def test_what_a_mirror_cannot_be(lite, rules, reason):
    with pytest.raises(UsageError, match=reason):
        mirror_of(lite, **rules)


def test_changes_that_no_watermark_shows_are_refused(lite):
    joined = sa.select(order, customer.c.name).join(customer, order.c.customer == customer.c.id)
    with pytest.raises(UsageError, match="a change in 'customer' does not move the watermark"):
        Mirror(
            lite,
            {Order: joined},
            mode='changed',
            changed={Order: 'updated_at'},
            columns={Order: {'name': None}},
            keys={Order: 'id'},
        )
    greatest = sa.func.max(order.c.updated_at, customer.c.updated_at).label('updated_at')
    both = sa.select(order.c.id, order.c.customer, order.c.amount, greatest).join(
        customer, order.c.customer == customer.c.id
    )
    Mirror(lite, {Order: both}, mode='changed', changed={Order: 'updated_at'}, keys={Order: 'id'})
    ranked = sa.func.row_number().over(order_by=order.c.id).label('amount')
    for entangled in (
        sa.select(order.c.id, order.c.customer, order.c.updated_at, ranked),
        sa.select(order).limit(2),
    ):
        with pytest.raises(UsageError, match='a row may change while its watermark stays: '):
            Mirror(lite, {Order: entangled}, mode='changed', changed={Order: 'updated_at'})
    links = {(Tagged, 'countries'): sa.select(order.c.id, order.c.customer)}
    with pytest.raises(UsageError, match=r'Tagged.countries: a change in a join table'):
        Mirror(
            lite,
            {Country: country, Tagged: sa.select(order.c.id, order.c.updated_at)},
            mode='changed',
            changed={Tagged: 'updated_at'},
            keys={Tagged: 'id'},
            links=links,
        )
    flagged = sa.select(order.c.id, (order.c.amount > 1).label('gone'))
    with pytest.raises(UsageError, match=r'Order: deleted= names .gone., which is never null'):
        Mirror(lite, {Order: flagged}, deleted={Order: 'gone'}, defaults={Order: ['amount']})


def test_a_change_in_the_second_of_the_last_one_is_seen_in_sqlite(lite, make_model):
    """Its moments are texts, and 10:00:00 is less than 10:00:00.000000."""
    do(
        lite,
        sa.text('CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT, at TIMESTAMP)'),
        sa.text("INSERT INTO t VALUES (1, 'a', '2026-10-24 10:00:00')"),
        sa.text("INSERT INTO t VALUES (2, 'b', '2026-10-24 09:00:00')"),
    )
    columns = (sa.Column('id', sa.Integer), sa.Column('v', sa.Text), sa.Column('at', sa.DateTime))
    rows = sa.Table('t', sa.MetaData(), *columns)
    model = make_model([IRField('id', valueType=int), IRField('v')], ['id'])
    mirror = mirror_by_at(lite, model, rows, overlap=0)
    mirror.run()
    do(lite, sa.text("UPDATE t SET v = 'B', at = '2026-10-24 10:00:00' WHERE id = 2"))
    assert mirror.run().mode == 'changed'
    assert {each.id: each.v for each in model.objects.all()} == {1: 'a', 2: 'B'}


def test_a_tombstone_in_sql_text_is_spelled_for_the_database(sql, make_model):
    quoted = sql.dialect.identifier_preparer.quote('deletedAt')
    do(
        sql,
        sa.text(f'CREATE TABLE t (id int, {quoted} int)'),
        sa.text('INSERT INTO t VALUES (1, NULL), (2, 5)'),
    )
    model = make_model([IRField('id', valueType=int)])
    text = f'SELECT id, {quoted} FROM t -- all of them'
    Mirror(sql, {model: text}, deleted={model: 'deletedAt'}).run()
    assert [each.id for each in model.objects.all()] == [1]


def test_a_new_row_whose_key_its_field_cannot_hold_is_left_out(lite, make_model):
    do(
        lite,
        sa.text('CREATE TABLE t (code TEXT, at INTEGER)'),
        sa.text("INSERT INTO t VALUES ('5', 1)"),
    )
    model = make_model([IRField('code', valueType=int)], ['code'])
    mirror = mirror_by_at(
        lite, model, 'SELECT code, at FROM t', keys={model: 'code'}, overlap=0, skipBad=True
    )
    mirror.run()
    do(lite, sa.text("INSERT INTO t VALUES ('abc', 2), ('6', 3)"))
    report = mirror.run()
    assert (report.mode, report.models[model.__name__].bad) == ('changed', 1)
    assert sorted(each.code for each in model.objects.all()) == [5, 6]


def test_a_row_that_was_left_out_comes_in_once_its_unique_value_is_free(lite, make_model):
    do(
        lite,
        sa.text('CREATE TABLE t (id INTEGER, u INTEGER, at INTEGER)'),
        sa.text('INSERT INTO t VALUES (1, 1, 1)'),
    )
    model = make_model(
        [IRField('id', valueType=int), IRField('u', valueType=int)], ['id'], UNIQUE_FIELDS=['u']
    )
    mirror = mirror_by_at(lite, model, 'SELECT id, u, at FROM t', overlap=0, skipBad=True)
    mirror.run()
    do(lite, sa.text('INSERT INTO t VALUES (4, 7, 2), (5, 7, 3), (6, 9, 4)'))
    mirror.run()
    mirror.run()
    assert sorted((each.id, each.u) for each in model.objects.all()) == [(1, 1), (4, 7), (6, 9)]
    do(lite, sa.text('UPDATE t SET u = 8, at = 5 WHERE id = 4'))
    assert mirror.run().mode == 'changed'
    assert sorted((each.id, each.u) for each in model.objects.all()) == [
        (1, 1),
        (4, 8),
        (5, 7),
        (6, 9),
    ]
