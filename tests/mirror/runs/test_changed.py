"""``mode='changed'``: a run reads the rows whose watermark moved, and finds those that went.

The rule: after each run the data is that of SQL, whatever the run read.
"""

from __future__ import annotations

import datetime
import random
import signal

import pytest
import sqlalchemy as sa
from cli.commands import start

from IndexedRedis import GuardRefusedError
from IndexedRedis.mirror import Mirror
from IndexedRedis.mirror.follow import batch
from IndexedRedis.mirror.recurring.changes import ChangedBatch
from mirror.watermarked import (
    DEAD,
    NO_WATERMARKS,
    SELECTS,
    WATERMARKS,
    Country,
    Customer,
    Order,
    at,
    country,
    customer,
    do,
    fill,
    mirror_of,
    order,
    set_order,
    step,
    stored,
    wanted,
)


@pytest.fixture
def shop(sql, watch_models):
    watch_models(*SELECTS)
    fill(sql)
    return sql


def changed(mirror, engine, **how):
    """Run; the data is that of SQL then. Returns the report, which is not one of a full run."""
    report = mirror.run(**how)
    assert (report.fallback, report.mode) == ('', 'changed')
    assert stored() == wanted(engine)
    return report


def full(mirror, engine, reason):
    report = mirror.run()
    assert report.mode == 'full'
    assert reason in report.fallback
    assert stored() == wanted(engine)


def test_a_run_reads_what_changed_since_the_last_one(shop):
    mirror = mirror_of(shop, overlap=0)
    full(mirror, shop, 'does not say how far it was read')
    do(shop, set_order(1, 60, amount=7, customer=3))
    report = changed(mirror, shop)
    assert report.models['Order'].written == 1
    assert report.models['Order'].read <= 2  # the last one that was seen, and the changed one
    assert report.models['Country'].read == 2  # it has no watermark
    assert 'changed rows only' in str(report)
    new = order.insert().values(id=4, customer=2, amount=1, updated_at=at(61))
    do(shop, new, set_order(2, 61, amount=5))
    assert changed(mirror, shop).models['Order'].written == 2
    assert changed(mirror, shop).models['Order'].written == 0


def test_a_commit_that_comes_late_is_seen_within_the_overlap(shop):
    mirror = mirror_of(shop, overlap=datetime.timedelta(minutes=10))
    do(shop, set_order(3, 60, amount=1))
    mirror.run()
    do(shop, set_order(1, 51, amount=9))
    assert changed(mirror, shop).models['Order'].written == 1
    do(shop, set_order(2, 40, amount=9))  # too late
    mirror.run()
    assert Order.objects.filter(id=2).first().amount == 2


def test_a_row_that_came_too_late_shows_in_the_number_of_rows(shop):
    mirror = mirror_of(shop)
    mirror.run()
    do(shop, order.insert().values(id=9, customer=1, amount=1, updated_at=at(-900)))
    assert changed(mirror, shop).models['Order'].written == 1


def test_a_row_with_a_tombstone_goes_and_may_come_back(shop):
    mirror = mirror_of(shop, dangling='null')
    mirror.run()
    dead = customer.update().where(customer.c.id == 2)
    do(shop, dead.values(deleted_at=at(60), updated_at=at(60)))
    assert changed(mirror, shop).models['Customer'].removed == 1
    assert stored()[2][2] == (None, 2)  # the order did not change in SQL
    do(shop, dead.values(deleted_at=None, updated_at=at(61)))
    changed(mirror, shop)
    assert stored()[2][2] == (2, 2)
    do(shop, dead.values(deleted_at=at(60)))  # without a new watermark
    changed(mirror, shop)


def test_a_row_that_was_deleted_shows_in_the_number_of_rows(shop):
    mirror = mirror_of(shop, dangling='null', maxDrop=None)
    mirror.run()
    do(shop, order.delete().where(order.c.id == 3), customer.delete().where(customer.c.id == 2))
    report = changed(mirror, shop)
    assert report.models['Order'].removed == report.models['Customer'].removed == 1
    do(shop, country.delete().where(country.c.id == 1))
    changed(mirror, shop)
    assert set(stored()[1].values()) == {(None, 'c1'), (None, 'c3')}
    do(shop, country.insert().values(id=1, name='again'))
    changed(mirror, shop)
    assert set(stored()[1].values()) == {(1, 'c1'), (1, 'c3')}


def test_all_keys_are_compared_in_every_nth_run(shop):
    mirror = mirror_of(shop, compareKeys=3)
    mirror.run()
    do(
        shop,
        order.delete().where(order.c.id == 3),
        order.insert().values(id=9, customer=1, amount=1, updated_at=at(-900)),
    )
    for turn in range(3):
        mirror.run()
        assert (9 in stored()[2]) == (turn == 2)
    assert stored() == wanted(shop)


def test_links_lead_to_rows_that_did_not_change(shop):
    mirror = mirror_of(shop)
    mirror.run()
    pk = Customer.objects.filter(id=1).first()._id
    do(shop, set_order(3, 60, customer=1))
    changed(mirror, shop)
    assert Order.objects.filter(id=3).first().customer__id == pk


def test_a_link_to_a_row_that_went_is_refused(shop):
    mirror = mirror_of(shop)
    mirror.run()
    before = stored()
    do(shop, country.delete().where(country.c.id == 1))
    with pytest.raises(GuardRefusedError, match='3 links lead to no row'):
        mirror.run()
    assert stored() == before


def test_rows_without_a_watermark_are_read_each_time(shop):
    do(shop, order.update().where(order.c.id == 1).values(updated_at=None))
    mirror = mirror_of(shop)
    mirror.run()
    do(shop, order.update().where(order.c.id == 1).values(amount=8))
    assert changed(mirror, shop).models['Order'].written == 1
    do(shop, order.update().values(updated_at=None))
    changed(mirror, shop)


def test_rows_of_one_moment_are_all_seen(shop):
    mirror = mirror_of(shop, overlap=0)
    do(shop, set_order(1, 60, amount=4))
    mirror.run()
    do(shop, set_order(2, 60, amount=5), set_order(3, 60, amount=6))
    assert changed(mirror, shop).models['Order'].written == 2


def test_an_empty_table_fills(shop):
    do(shop, order.delete())
    mirror = mirror_of(shop, allowEmpty=[Order])
    mirror.run()
    changed(mirror, shop)
    do(shop, order.insert().values(id=1, customer=1, amount=1, updated_at=at(5)))
    changed(mirror, shop)


def test_a_watermark_in_the_future_hides_nothing(shop):
    mirror = mirror_of(shop)
    do(shop, set_order(1, 60 * 24 * 365 * 20, amount=4))
    mirror.run()
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    do(shop, order.update().where(order.c.id == 2).values(amount=5, updated_at=now))
    assert changed(mirror, shop).models['Order'].written == 1


def test_a_full_run_between_keeps_how_far_it_is(shop):
    mirror = mirror_of(shop)
    mirror.run()
    do(shop, set_order(1, 60, amount=4))
    assert mirror.run(mode='full').mode == 'full'
    do(shop, set_order(2, 61, amount=5))
    changed(mirror, shop)
    do(shop, set_order(3, 62, amount=5))
    assert mirror.run(mode='diff').mode == 'diff'
    changed(mirror, shop)


@pytest.mark.parametrize('replace', ['mirror', 'reset'])
def test_data_of_another_source_is_replaced(shop, replace):
    mirror = mirror_of(shop)
    mirror.run()
    if replace == 'mirror':
        mirror_of(shop, changed=None, mode='full', columns=NO_WATERMARKS).run()
    else:
        Order.reset([Order(id=1, amount=99)])
    full(mirror, shop, 'does not say how far it was read')
    changed(mirror, shop)


def test_another_definition_reads_all_again(shop):
    mirror_of(shop).run()
    doubled = sa.select(
        order.c.id, order.c.customer, (order.c.amount * 2).label('amount'), order.c.updated_at
    )
    mirror = Mirror(shop, {**SELECTS, Order: doubled}, mode='changed', changed=WATERMARKS, **DEAD)
    report = mirror.run()
    assert 'defined in another way' in report.fallback
    assert Order.objects.filter(id=3).first().amount == 6
    assert mirror.run().fallback == ''


def test_too_many_changes_are_a_full_run(shop):
    mirror = mirror_of(shop, maxChanges=2)
    mirror.run()
    do(shop, customer.update().values(name='x', updated_at=at(60)))
    full(mirror, shop, 'more than 2 objects differ')


def test_many_changes_of_what_no_link_leads_to_are_made(shop):
    mirror = mirror_of(shop, maxChanges=2)
    mirror.run()
    do(shop, *(set_order(n, 60, amount=8) for n in (1, 2, 3)))
    assert changed(mirror, shop).models['Order'].written == 3


def test_more_rows_than_one_select_takes_are_a_full_run(shop, monkeypatch):
    for name in ('MOST_VALUES', 'MOST_VALUES_OF_SQLITE'):
        monkeypatch.setattr(batch, name, 2)
    mirror = mirror_of(shop)
    mirror.run()
    full(mirror, shop, '3 rows of Customer changed')


def test_too_many_rows_that_went_are_judged_by_a_full_run(shop):
    mirror = mirror_of(shop, maxDrop=50)
    mirror.run()
    do(shop, order.delete().where(order.c.id > 1))
    with pytest.raises(GuardRefusedError, match='a drop of 67 %'):
        mirror.run()
    do(shop, order.delete())
    with pytest.raises(GuardRefusedError, match='no object to store'):
        mirror.run()
    assert len(stored()[2]) == 3


def test_bad_rows_that_are_left_out_cost_one_comparison(shop, monkeypatch):
    do(shop, set_order(2, -900))  # while it is read again with the overlap, it costs more
    compared = []
    original = ChangedBatch._compared
    monkeypatch.setattr(
        ChangedBatch,
        '_compared',
        lambda self, source: compared.append(source.name) or original(self, source),
    )
    select = sa.select(
        order.c.id,
        order.c.customer,
        sa.case((order.c.id == 2, 'many'), else_=sa.cast(order.c.amount, sa.String(9))).label(
            'amount'
        ),
        order.c.updated_at,
    )
    mirror = Mirror(
        shop, {**SELECTS, Order: select}, mode='changed', changed=WATERMARKS, skipBad=True, **DEAD
    )
    mirror.run()
    assert {each.id for each in Order.objects.all()} == {1, 3}
    for _ in range(3):
        assert mirror.run().fallback == ''
    assert sorted(compared) == ['Customer', 'Order']


def test_a_run_that_fails_just_before_it_is_live_changes_nothing(shop, monkeypatch):
    mirror = mirror_of(shop)
    mirror.run()
    before = stored()
    do(shop, set_order(1, 60, amount=4))
    with monkeypatch.context() as broken:
        broken.setattr(ChangedBatch, 'swapping', lambda self: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            mirror.run()
    assert stored() == before
    assert changed(mirror, shop).models['Order'].written == 1


def test_a_dry_run_reads_all_and_writes_nothing(shop):
    mirror = mirror_of(shop)
    mirror.run()
    before = stored()
    do(shop, set_order(1, 60, amount=4))
    report = mirror.run(dryRun=True)
    assert report.models['Order'].read == 3
    assert stored() == before


def test_sql_text_has_watermarks_and_tombstones_too(shop):
    texts = {
        Country: 'SELECT * FROM country',
        Customer: 'SELECT * FROM customer',
        Order: 'SELECT id, customer, amount, updated_at AS "Changed" FROM orders ORDER BY id',
    }
    if shop.dialect.name != 'postgresql':
        texts[Order] = texts[Order].replace('"', '')
    if shop.dialect.name == 'sqlite':  # which has texts in the place of moments
        moment = 'unixepoch(updated_at) AS updated_at'
        texts[Customer] = f'SELECT id, country, name, deleted_at, {moment} FROM customer'
        texts[Order] = f'SELECT id, customer, amount, {moment} FROM orders'
    mirror = Mirror(
        shop,
        texts,
        keys=dict.fromkeys(SELECTS, 'id'),
        mode='changed',
        changed={
            Customer: 'updated_at',
            Order: 'updated_at' if shop.dialect.name == 'sqlite' else 'changed',
        },
        overlap=300,
        dangling='null',
        **DEAD,
    )
    mirror.run()
    dead = customer.update().where(customer.c.id == 2)
    do(
        shop,
        set_order(1, 60, amount=8),
        set_order(3, 61, customer=2),
        dead.values(deleted_at=at(60), updated_at=at(60)),
    )
    report = changed(mirror, shop)
    assert report.models['Customer'].removed == 1
    do(shop, order.delete().where(order.c.id == 1))
    changed(mirror, shop)


@pytest.mark.histories
@pytest.mark.parametrize('dangling', ['null', 'skip'])
@pytest.mark.parametrize('compare_each', [4, 1000])
def test_a_random_history_ends_in_the_data_of_sql(shop, dangling, compare_each):
    chance = random.Random(f'{dangling} {compare_each} {shop.dialect.name}')
    mirror = mirror_of(
        shop, dangling=dangling, allowEmpty=True, maxDrop=None, compareKeys=compare_each
    )
    moment, modes = 100, []
    for _ in range(25):
        for _ in range(chance.randint(0, 4)):
            moment += 1
            do(shop, step(chance, moment))
        broken = chance.random() < 0.1
        with pytest.MonkeyPatch.context() as patch:
            if broken:
                patch.setattr(ChangedBatch, 'swapping', lambda self: 1 / 0)
            try:
                mode = chance.choices(['changed', 'full', 'diff'], [8, 1, 1])[0]
                modes.append(mirror.run(mode=mode).mode)
            except ZeroDivisionError:
                continue
        assert stored() == wanted(shop, dangling)
    assert modes.count('changed') > 10


DEFINITION = """
from mirror.watermarked import mirror_of
shop = mirror_of({url!r}, dangling='null', allowEmpty=True, maxDrop=None)
"""


@pytest.mark.faults
@pytest.mark.parametrize('turn', range(4))
def test_a_run_that_is_killed_is_made_up_for_by_the_next(
    lite, watch_models, redis_params, raw, tmp_path, turn
):
    watch_models(*SELECTS)
    fill(lite)
    do(lite, sa.text('PRAGMA journal_mode=WAL'))
    (tmp_path / 'jobs.py').write_text(DEFINITION.format(url=str(lite.url)))
    url = f'redis://{redis_params["host"]}:{redis_params["port"]}/0'
    chance = random.Random(turn)
    mirror = mirror_of(lite, dangling='null', allowEmpty=True, maxDrop=None)
    moment = 100
    with start('mirror', 'jobs:shop', '--url', url, '--every', '0.01s', cwd=tmp_path) as process:
        try:
            process.stdout.readline()
            for _ in range(chance.randint(20, 60)):
                moment += 1
                do(lite, step(chance, moment))
        finally:
            process.send_signal(signal.SIGKILL)
            process.communicate()
    for name in raw.keys('*:tmp:mirror'):
        raw.delete(name)  # it would expire within half a minute
    report = mirror.run()
    assert report.mode == 'changed'
    assert stored() == wanted(lite)
