"""Somebody else acts between any two commands of an operation. The rule: this tries each such
order once, on purpose; the races of other files try many by chance."""

from __future__ import annotations

from contextlib import suppress

import pytest

import IndexedRedis as IR
from faults.item import edition, over
from faults.proxy import INTERLEAVED
from faults.writes import (
    IN_STEPS,
    RESETS,
    WRITES,
    InsertVeryMany,
    Reset,
    ResetInPlace,
    others_write_few,
)
from IndexedRedis._core.queries import by_pk, fetch, set_algebra
from IndexedRedis.errors import ObjectGoneError


def change(item):
    for obj in item.objects.all():
        obj.n += 100
        obj.save()


def delete(item):
    item.objects.filter(n=2).delete()


def delete_all(item):
    item.objects.delete()


def delete_what_is_to_come(item):
    item.deleter.deleteMultipleByPks(range(1, 20))


def insert(item):
    item.saver.save(edition(item, 7, 2))


def put(item):
    for pk in item.objects.getPrimaryKeys():
        item(_id=pk, name='put', n=pk, edition=8).save()


def reset(item):
    item.reset(edition(item, 3, 4))


def reset_in_place(item):
    item.reset(edition(item, 3, 4, item.objects.getPrimaryKeys(True)))


def put_ahead(item):
    """Under pks that were handed out a moment ago, or will be next."""
    with suppress(IR.ResetInProgressError):
        item.saver.save(edition(item, 8, 4), forceID=list(range(4, 8)))


def reset_ahead(item):
    item.reset(edition(item, 3, 4, range(4, 8)))


def reset_changed(item):
    IR.resetChanged([(item, edition(item, 3, 4))], {item: 'n'})


def destroy(item):
    item.deleter.destroyModel()


LOCKING = [reset, reset_in_place, reset_ahead, reset_changed, destroy]
OTHERS = [
    *(change, delete, delete_all, delete_what_is_to_come, insert, put, put_ahead),
    *LOCKING,
]
# A reset waits for another, and for a write of many, so here it would wait for ever.
PAIRS = [
    (write, other)
    for write in WRITES
    for other in OTHERS
    if write not in (*RESETS, *IN_STEPS) or other not in LOCKING
]


def steps(proxy, begin):
    """Do it twice, since the second time the server knows the scripts; then count its commands."""
    for _ in range(2):
        operation = begin()
        proxy.watch()
        operation()
    return len(proxy.commands)


@pytest.mark.parametrize('pair', PAIRS, ids=lambda pair: ' and '.join(f.__name__ for f in pair))
def test_a_write_between_whose_steps_others_write(item, proxy, stored, pair):
    write, other = pair
    model = over(proxy.params)

    def begin():
        stored.empty()
        item.saver.save(edition(item, 1, 3))
        return write(model).do

    def meanwhile():
        with others_write_few():
            other(item)

    count = steps(proxy, begin)
    for number in range(1, count + 1):
        operation = begin()
        proxy.fault(number, INTERLEAVED, meanwhile)
        try:
            operation()
        except ObjectGoneError:
            assert other not in (change, insert, put, put_ahead)
        except IR.ConflictError:
            assert write in (*RESETS, *IN_STEPS)
            assert other is put_ahead
        assert item.objects.count() == len(item.objects.all())
        stored.check()
        assert stored.kept_work_keys() == []
    assert proxy.happened == count


@pytest.mark.parametrize('write', [Reset, ResetInPlace], ids=lambda write: write.__name__)
@pytest.mark.parametrize('other', [change, insert, put], ids=lambda other: other.__name__)
def test_at_no_step_of_a_reset_an_index_is_wrong(item, proxy, stored, write, other):
    """Others write at one step, and at each later one the index sets are compared."""
    model, found, looks = over(proxy.params), [], 0

    def begin():
        stored.empty()
        item.saver.save(edition(item, 1, 3))
        return write(model).do

    def look():
        nonlocal looks
        looks += 1
        found.extend(stored.findings(pending=True))
        proxy.fault(1, INTERLEAVED, look)

    def act():
        other(item)
        proxy.fault(1, INTERLEAVED, look)

    count = steps(proxy, begin)
    for number in range(1, count + 1):
        operation = begin()
        proxy.fault(number, INTERLEAVED, act)
        operation()
        assert found == [], f'after somebody wrote before command {number}'
    assert looks >= count * (count - 1) / 2


def test_at_no_step_of_a_save_of_many_some_of_them_show(item, proxy, stored, monkeypatch):
    """Not even where the sizes of index sets are trusted as soon as they list two objects."""
    monkeypatch.setattr(set_algebra, 'UNSETTLED_MEMBERS', 1)
    model, seen = over(proxy.params), []
    queries = [item.objects, item.objects.filter(edition__ne=1), item.objects.filter(edition=2)]
    queries += [item.objects.filter(n=1), item.objects.filter(n__ne=1, edition__ne=5)]
    before, after = (3, 0, 0, 1, 2), (6, 3, 3, 2, 4)
    if item.SORTED_FIELDS:  # their scores are stored before the commit
        queries += [item.objects.filter(edition__gte=0), item.objects.filter(n__lt=2, edition=2)]
        queries += [item.objects.orderBy('n'), item.objects.filter(n=1).orderBy('-edition')]
        queries += [item.objects.orderBy('-edition')[1:9]]
        before, after = (*before, 3, 0, 3, 1, 2), (*after, 6, 2, 6, 2, 5)

    def look():
        seen.append(tuple(query.count() for query in queries))
        assert seen[-1] == tuple(len(query.all()) for query in queries)
        assert seen[-1] == tuple(len(query.getPrimaryKeys()) for query in queries)
        assert stored.findings(pending=True) == []
        proxy.fault(1, INTERLEAVED, look)

    stored.empty()
    item.saver.save(edition(item, 1, 3))
    write = InsertVeryMany(model)
    proxy.fault(1, INTERLEAVED, look)
    write.do()
    look()
    assert set(seen) == {before, after}
    assert seen.count(before) > 20


@pytest.fixture
def small_steps(monkeypatch):
    """Chunked reading from the sixth object on."""
    monkeypatch.setattr(fetch, 'SMALL_RESULT_ROWS', 5)
    monkeypatch.setattr(fetch, 'CHUNK_ROWS', 3)
    monkeypatch.setattr(by_pk, 'CHUNK_ROWS', 3)


@pytest.mark.usefixtures('small_steps')
@pytest.mark.parametrize('keep', [0, 4, 8], ids=['fresh pks', 'some the same', 'the same pks'])
@pytest.mark.parametrize('filters', [{}, {'n__ne': 99}, {'edition__ne': 7, 'n__ne': 99}], ids=str)
def test_a_read_between_whose_steps_a_reset_comes(item, proxy, stored, filters, keep):
    query = over(proxy.params).objects.filter(**filters)

    def data_set(number):
        return [
            *edition(item, number, keep, range(1, keep + 1)),
            *edition(item, number, 8 - keep),
        ]

    def begin():
        item.reset(data_set(1))
        return query.all

    count = steps(proxy, begin)
    assert count >= 10
    for number in range(1, count + 1):
        fetch = begin()
        proxy.fault(number, INTERLEAVED, lambda: item.reset(data_set(2)))
        found = fetch()
        assert len(found) == 8
        assert len({obj.edition for obj in found}) == 1, f'a reset before command {number}'
    assert proxy.happened == count
    stored.check()


@pytest.mark.usefixtures('small_steps')
@pytest.mark.parametrize('filters', [{}, {'n__ne': 99}, {'edition__ne': 7, 'n__ne': 99}], ids=str)
def test_a_read_between_whose_steps_a_resetChanged_comes(item, proxy, stored, filters):
    """Some objects go, some are changed in place, some are new."""
    query = over(proxy.params).objects.filter(**filters)

    def replace(number):
        objs = [item(name='x', n=n, edition=number) for n in range(number, number + 8)]
        (counts,) = IR.resetChanged([(item, objs)], {item: 'n'})
        return counts

    def begin():
        replace(1)
        return query.all

    count = steps(proxy, begin)
    assert count >= 10
    for number in range(1, count + 1):
        fetch = begin()
        proxy.fault(number, INTERLEAVED, lambda: replace(3))
        found = fetch()
        assert {obj.n - obj.edition for obj in found} == set(range(8)), f'before command {number}'
        assert len({obj.edition for obj in found}) == 1, f'before command {number}'
        assert tuple(replace(1)) == (2, 6, 0, 2)
    assert proxy.happened == count
    stored.check()


@pytest.mark.usefixtures('small_steps')
@pytest.mark.parametrize('sorts', ['sorted'], indirect=True)
@pytest.mark.parametrize('left', [False, True], ids=['clean', 'a score is left'])
def test_a_range_between_whose_steps_a_reset_comes(item, proxy, stored, raw, left):
    """A killed list may leave scores, and members are looked up. The new data set is smaller."""
    query = over(proxy.params).objects.filter(edition__gte=0)

    def begin():
        item.reset(edition(item, 1, 8))
        if left:
            raw.zadd(item.objects._schema.keys.sorted(b'edition'), {b'999': 7})
        return query.all

    count = steps(proxy, begin)
    assert count >= 10
    for number in range(1, count + 1):
        fetch = begin()
        proxy.fault(number, INTERLEAVED, lambda: item.reset(edition(item, 2, 5)))
        found = [obj.edition for obj in fetch()]
        assert found in ([1] * 8, [2] * 5), f'a reset before command {number}'
    assert proxy.happened == count
    stored.check()
