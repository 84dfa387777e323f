"""A read-only replica, a real one. The rule: every read works there, every write is refused."""

from __future__ import annotations

import time

import pytest
from redis.exceptions import ReadOnlyError

from faults.item import edition, over
from IndexedRedis import Q


@pytest.fixture
def replica(server, filled, new_server, raw):
    """The model with its 50 objects, over a replica of the server."""
    raw.config_set('repl-diskless-sync-delay', 0)
    second = new_server(replicaof=f'{server.host} {server.port}')
    with second.client() as client:
        end = time.monotonic() + 20
        while client.info('replication')['master_link_status'] != 'up' or client.dbsize() == 0:
            assert time.monotonic() < end, 'the replica did not catch up'
            time.sleep(0.02)
    return over(second.params)


def test_every_read_works_on_a_replica(replica):
    objects = replica.objects
    assert objects.count() == len(objects.all()) == len(objects.allByAge()) == 50
    assert objects.filter(n=3).count() == len(objects.filter(n=3).all()) == 7
    both = objects.filter(n=3, edition=1)
    assert both.count() == len(both.all()) == len(both.getPrimaryKeys()) == 7
    without = objects.filter(edition=1, n__ne=3)
    assert without.count() == len(without.all()) == len(without.getPrimaryKeys()) == 43
    much = objects.filter(edition=1, n=3, n__ne=4, edition__ne=2)
    assert much.count() == len(much.all()) == len(much.getPrimaryKeys()) == 7
    assert objects.filter(n__ne=3).count() == 43
    some = objects.filter(Q(n__in=[1, 2]) | Q(n=3), pk__ne=2)
    assert some.count() == len(some.all()) == len(some.getPrimaryKeys()) == 20
    assert some.exists() and some.first().n == 2
    assert sum(some.countBy('n').values()) == len(list(some.iterator(5))) == 20
    assert objects.exclude(n__in=range(4)).filter(edition__isnull=False).count() == 21
    assert (objects.first().n, objects.last().n) == (0, 0)
    assert objects.random().edition == 1
    assert objects.get(5).n == 4
    assert [obj.n for obj in objects.getMultiple([5, 6])] == [4, 5]
    assert objects.exists(5)
    assert objects.first().reload() == {}
    assert len(objects.allOnlyFields(['name'])) == 50


@pytest.mark.parametrize('sorts', ['sorted'], indirect=True)
def test_every_read_in_order_works_on_a_replica(replica):
    objects = replica.objects
    for ordered in (objects.orderBy('n', '-name'), objects.filter(edition=1).orderBy('n')):
        assert [obj.n for obj in ordered[5:10]] == [0, 0, 0, 1, 1]
        first = ordered.page(size=20, totalUpTo='all')
        second = ordered.page(size=20, after=first.next)
        assert first.total == 50
        assert [obj.n for obj in second] == [obj.n for obj in ordered[20:40]]
    assert objects.filter(n__gte=3).count() == len(objects.filter(n__between=(3, 6)).all()) == 28
    assert [obj.n for obj in objects.filter(Q(n__lt=1) | Q(n__gt=5)).orderBy('-n')[:1]] == [6]


def test_every_write_is_refused_by_a_replica(replica, filled):
    obj = replica.objects.first()
    obj.n = 42
    writes = [
        lambda: replica(name='x', n=1, edition=2).save(),
        lambda: replica.saver.save(edition(replica, 2, 3)),
        obj.save,
        lambda: replica(_id=5, name='put', n=1, edition=2).save(),
        obj.delete,
        lambda: replica.deleter.deleteByPk(5),
        lambda: replica.objects.filter(n=3).delete(),
        lambda: replica.objects.reindex(),
        lambda: replica.reset(edition(replica, 2, 3)),
        lambda: replica.deleter.destroyModel(),
    ]
    for write in writes:
        with pytest.raises(ReadOnlyError):
            write()
    assert obj.getPk() == 1
    assert obj.hasUnsavedChanges()
    assert replica.objects.count() == filled.objects.count() == 50
