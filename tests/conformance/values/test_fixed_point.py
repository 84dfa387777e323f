"""Fixed point fields. The rule: there is one zero, which finds what is stored as ``-0.00`` too."""

from __future__ import annotations

import pytest

from IndexedRedis.fields import IRFixedPointField


@pytest.fixture
def price(make_model):
    fields = ['name', IRFixedPointField('price', decimalPlaces=2)]
    return make_model(fields, indexed=['name', 'price'])


@pytest.fixture
def prices(price, raw):
    """Zeros under the pks 1 and 3 (as 6.0.3 wrote it), 4; others under 2 and 5."""
    for pk, value in enumerate((0, 1, -1, -0.001, 2.5), 1):
        price(name=str(pk), price=value).save()
    base = f'_ir_|{price.KEY_NAME}:'
    raw.hset(f'{base}data:3', 'price', '-0.00')
    raw.srem(f'{base}idx:price:-1.00', 3)
    raw.sadd(f'{base}idx:price:-0.00', 3)
    return price


def pks(objs):
    return [obj._id for obj in objs]


@pytest.mark.plain_model
def test_what_rounds_to_zero_is_stored_as_the_one_zero(price, raw):
    for value in (-0.0, '-0.001', -0.004, 0):
        price(price=value).save()
    base = f'_ir_|{price.KEY_NAME}:'
    assert {raw.hget(f'{base}data:{pk}', 'price') for pk in (1, 2, 3, 4)} == {b'0.00'}
    assert raw.smembers(f'{base}idx:price:0.00') == {b'1', b'2', b'3', b'4'}
    assert raw.keys(f'{base}idx:price:*') == [f'{base}idx:price:0.00'.encode()]


@pytest.mark.plain_model
@pytest.mark.parametrize('zero', [0, 0.0, -0.0, '0', '-0.00', 0.004, -0.004], ids=repr)
def test_every_zero_finds_every_zero(prices, zero):
    query = prices.objects.filter(price=zero)
    assert pks(query.allByAge()) == sorted(pks(query.all())) == [1, 3, 4]
    assert sorted(pks(query.allOnlyFields(['name']))) == [1, 3, 4]
    assert query.getPrimaryKeys(sortByAge=True) == sorted(query.getPrimaryKeys()) == [1, 3, 4]
    assert query.count() == 3
    assert (query.first()._id, query.last()._id) == (1, 4)
    assert {query.random()._id for _ in range(60)} == {1, 3, 4}
    others = prices.objects.filter(price__ne=zero)
    assert pks(others.allByAge()) == others.getPrimaryKeys(sortByAge=True) == [2, 5]
    assert others.count() == 2
    assert (others.first()._id, others.last()._id) == (2, 5)
    assert {others.random()._id for _ in range(40)} == {2, 5}


@pytest.mark.plain_model
def test_zero_goes_together_with_other_filters(prices):
    assert pks(prices.objects.filter(price=0, name='3').all()) == [3]
    assert prices.objects.filter(price=0, name='3').count() == 1
    assert pks(prices.objects.filter(price=0, name__ne='3').allByAge()) == [1, 4]
    assert prices.objects.filter(price=0, name__ne='3').count() == 2
    assert prices.objects.filter(price=0).filter(price=0).count() == 3
    assert pks(prices.objects.filter(price=0).filter(price=0).allByAge()) == [1, 3, 4]
    assert prices.objects.filter(price=0, price__ne=0).count() == 0
    assert prices.objects.filter(price=0, price__ne=0).all() == []


@pytest.mark.plain_model
def test_the_old_zero_alone_is_first_and_last(prices):
    prices.deleter.deleteMultipleByPks([1, 4])
    query = prices.objects.filter(price=0)
    assert query.first()._id == query.last()._id == query.random()._id == 3


@pytest.mark.plain_model
def test_a_delete_takes_both(prices, raw):
    assert prices.objects.filter(price=0).delete() == 3
    assert prices.objects.getPrimaryKeys(sortByAge=True) == [2, 5]
    assert not raw.keys(f'_ir_|{prices.KEY_NAME}:idx:price:*0.00')
    assert prices.objects.filter(price__ne=0).delete() == 2


@pytest.mark.plain_model
def test_an_old_zero_reads_as_zero_and_is_no_change(prices, raw):
    obj = prices.objects.get(3)
    assert repr(obj.price) == '0.0'
    assert not obj.hasUnsavedChanges()
    obj.price = -0.0
    assert not obj.hasUnsavedChanges()
    obj.price = 7
    obj.save()
    assert not raw.exists(f'_ir_|{prices.KEY_NAME}:idx:price:-0.00')
    assert pks(prices.objects.filter(price=7).all()) == [3]


@pytest.mark.plain_model
def test_reindex_keeps_entry_and_bytes_together(prices):
    assert prices.objects.reindex() == 5
    assert prices.objects.filter(price=0).count() == 3


@pytest.mark.plain_model
def test_many_zeros_of_both_kinds(prices, raw):
    prices.saver.save([prices(price=0) for _ in range(150)])
    pipe = raw.pipeline()
    base = f'_ir_|{prices.KEY_NAME}:'
    for pk in range(6, 136):
        pipe.hset(f'{base}data:{pk}', 'price', '-0.00')
        pipe.smove(f'{base}idx:price:0.00', f'{base}idx:price:-0.00', pk)
    pipe.execute()
    query = prices.objects.filter(price=0)
    expected = [1, 3, 4, *range(6, 156)]
    assert pks(query.allByAge()) == query.getPrimaryKeys(sortByAge=True) == expected
    assert query.count() == 153
    assert query.delete() == 153


@pytest.mark.plain_model
@pytest.mark.damaged  # what was stored with two places is not what is indexed with four
def test_places_changed_later_take_effect_at_once(price, raw):
    obj = price(price=1.23456)
    assert obj.price == 1.23
    obj.save()
    price.FIELDS['price'].decimalPlaces = 4
    obj.price = 1.23456
    assert obj.price == 1.2346
    assert obj.asDict(forStorage=True)['price'] == '1.2346'
    obj.save()
    base = f'_ir_|{price.KEY_NAME}:'
    assert raw.hget(f'{base}data:1', 'price') == b'1.2346'
    assert pks(price.objects.filter(price='1.23462').all()) == [1]
    assert raw.keys(f'{base}idx:price:*') == [f'{base}idx:price:1.2346'.encode()]
    price.FIELDS['price'].decimalPlaces = 1
    assert price.objects.get(1).price == 1.2
