"""What a model with partitions finds at its KEY_NAME: data that it reads, or refuses."""

from __future__ import annotations

import pytest

from IndexedRedis import IndexedRedisModel, IRField, UsageError, WrongKeyTypeError

pytestmark = pytest.mark.plain_model  # it says itself how many partitions there are


@pytest.fixture
def make(redis_params):
    """Gives models of one KEY_NAME, with so many partitions."""

    def of(count, by=None):
        fields = {'FIELDS': [IRField('title')], 'INDEXED_FIELDS': ['title'], 'PARTITION_BY': by}
        given = {'KEY_NAME': '{opening}Songs', 'PARTITIONS': count, 'CLIENT_SIDE_CACHE': 0}
        return type(f'Of{count}', (IndexedRedisModel,), {**fields, **given})

    return of


def test_a_model_without_objects_is_empty_and_writes_nothing(make, raw):
    model = make(4)
    assert model.objects.count() == 0
    assert model.objects.all() == []
    assert model.objects.get(7) is None
    assert raw.dbsize() == 0


def test_objects_that_were_stored_without_partitions_are_refused(make):
    plain, model = make(0), make(4)
    plain(title='old').save()
    with pytest.raises(UsageError, match='without PARTITIONS'):
        model.objects.count()
    with pytest.raises(UsageError, match='without PARTITIONS'):
        model(title='new').save()
    with pytest.raises(UsageError, match='without PARTITIONS'):
        model.reset([model(title='new')])
    assert [obj.title for obj in plain.objects.all()] == ['old']


def test_the_pointer_says_how_many_partitions_there_are(make):
    four, six = make(4), make(6)
    pks = four.saver.save([four(title=str(i)) for i in range(250)])
    assert [obj.title for obj in six.objects.getMultiple(pks)] == [str(i) for i in range(250)]
    (pk,) = six(title='one more').save()
    assert four.objects.get(pk).title == 'one more'


def test_a_reset_changes_their_number_and_uses_no_pk_twice(make):
    four, six = make(4), make(6)
    old = four.saver.save([four(title=str(i)) for i in range(250)])
    handle = four.objects.get(old[7])
    new = six.reset([six(title=f'new {i}') for i in range(250)])
    assert not {*old} & {*new}
    assert four.objects.get(old[7]) is None
    assert [obj.title for obj in four.objects.getMultiple(new[:2])] == ['new 0', 'new 1']
    handle.title = 'late'
    with pytest.raises(KeyError):
        handle.save()
    back = four.reset([four(title='again')])
    assert not {*old, *new} & {*back}
    assert min(back) > max(new)


def test_a_server_that_was_emptied_is_used_anew(make, raw):
    model = make(4)
    model.reset([model(title=str(i)) for i in range(20)])
    raw.flushall()
    assert model.objects.get(1) is None
    (pk,) = model(title='first').save()
    assert model.objects.get(pk).title == 'first'


def test_a_pointer_that_names_no_edition_is_refused(make, raw):
    model = make(4)
    model(title='x').save()
    model, pointer = make(4), f'_ir_|{model.KEY_NAME}:keys:edition'
    raw.set(pointer, 'junk')
    with pytest.raises(WrongKeyTypeError, match='names no edition'):
        model.objects.count()
    raw.set(pointer, '1 4')
    assert model.objects.count() == 1


def test_another_field_that_spreads_the_objects_is_refused_until_a_reset(make):
    evenly, by_title = make(4), make(4, 'title')
    evenly.saver.save([evenly(title=str(i)) for i in range(20)])
    with pytest.raises(UsageError, match=r"PARTITION_BY is 'title'.* spread by None"):
        by_title.objects.filter(title='7').count()
    with pytest.raises(UsageError, match='PARTITION_BY'):
        by_title(title='x').save()
    by_title.reset([by_title(title=str(i)) for i in range(20)])
    assert by_title.objects.filter(title='7').count() == 1
    with pytest.raises(UsageError, match=r"PARTITION_BY is None.* spread by 'title'"):
        evenly.objects.count()
