"""Lists over several partitions. The rule: each is whole, and an error says what is written."""

from __future__ import annotations

import pytest

from IndexedRedis import IndexedRedisModel, IRField, UniqueError
from IndexedRedis._core.objects.state import own_state
from IndexedRedis._core.writes.inserts.draws import new_draw


@pytest.fixture
def stock(redis_params):
    class Stock(IndexedRedisModel):
        KEY_NAME = '{lists}Stock'
        PARTITIONS = 4
        PARTITION_BY = 'shop'
        CLIENT_SIDE_CACHE = 0
        FIELDS = [IRField('shop'), IRField('article')]
        INDEXED_FIELDS = ['shop']
        UNIQUE_FIELDS = [('shop', 'article')]

    return Stock


def test_an_error_in_one_partition_tells_that_others_were_written(stock):
    stock(shop='a', article='1').save()
    objs = [stock(shop=shop, article='1') for shop in 'abcdefgh']
    with pytest.raises(UniqueError) as caught:
        stock.saver.save(objs)
    (note,) = caught.value.__notes__
    assert 'one partition' in note and 'other partitions were written' in note
    stored = {obj.shop for obj in stock.objects.all()}
    assert 'a' in stored and len(stored) > 1
    # What is stored counts as saved, so the rest can be saved again.
    assert {obj.shop for obj in objs if obj._id is not None} == stored - {'a'}


def test_an_error_in_the_only_partition_says_nothing_of_others(stock):
    stock(shop='a', article='1').save()
    with pytest.raises(UniqueError) as caught:
        stock.saver.save([stock(shop='a', article='1'), stock(shop='a', article='2')])
    assert not hasattr(caught.value, '__notes__')
    assert stock.objects.count() == 1


def test_get_or_create_finds_what_is_unique_within_its_partition(stock):
    first, created = stock.objects.getOrCreate(shop='b', article='1')
    again, once_more = stock.objects.getOrCreate(shop='b', article='1')
    assert (created, once_more) == (True, False)
    assert first._id == again._id
    assert stock.objects.filter(shop='b').count() == 1


def test_a_draw_from_before_the_model_had_partitions_is_drawn_anew(stock):
    """An object may come from a pickle: its note is in a key that nobody has any more."""
    obj = stock(shop='a', article='1')
    own_state(obj).attempt = new_draw(), {'shop': b'a', 'article': b'1'}
    (pk,) = obj.save()
    assert stock.objects.get(pk).shop == 'a'
