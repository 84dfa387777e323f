"""A task is cancelled in the middle of what it does. The rule: connections go back to the pool,
clean or closed, and the data is as if the process had been killed, or better."""

from __future__ import annotations

import asyncio

from redis.asyncio import BlockingConnectionPool
from support.keyspace import but_counters

from faults.item import contents, edition
from IndexedRedis._core.flows import ask
from IndexedRedis._core.links import saving
from IndexedRedis._core.queries import fetch, query
from IndexedRedis._core.resets import destroy, diff, swap
from IndexedRedis.executors.aio import AsyncExecutor

TIMES = 40


async def cancel_often(params, begin, after):
    """Begin, cancel a little later each time, look; returns how often it was cut short."""
    pool = BlockingConnectionPool(max_connections=1, timeout=5, **params)
    executor, cut = AsyncExecutor(pool), 0
    await executor.run(ask('PING'))
    for number in range(TIMES):
        task = asyncio.create_task(executor.run(begin(number)))
        await asyncio.sleep(number * 0.0005)
        # More than once: in Python 3.11 wait_for, which redis-py uses, may swallow the first.
        while task.cancel():
            await asyncio.sleep(0)
        try:
            await task
        except asyncio.CancelledError:
            cut += 1
        # With an unread reply in it, the only connection of the pool would give that.
        assert await executor.run(ask('ECHO', b'%d' % number)) == b'%d' % number
        await asyncio.to_thread(after)
    await pool.disconnect()
    return cut


def test_a_cancelled_reset_leaves_all_or_nothing(item, stored, redis_params):
    schema = item._validated()
    old = edition(item, 0, 3)
    item.reset(old)
    seen = {0: 0}

    def begin(number):
        groups = [(schema, edition(item, number + 1, 600))]
        return swap.reset_all(groups, b'token%d' % number, type)

    def look():
        editions = {row[2] for row in contents(item)}
        assert len(editions) == 1
        assert item.objects.count() in (3, 600)
        stored.check(pending=True)
        for number in editions:
            seen[number] = seen.get(number, 0) + 1

    cut = asyncio.run(cancel_often(redis_params, begin, look))
    assert cut >= 10
    stored.end_lock()
    item.reset(edition(item, 0, 3))
    stored.check()
    assert stored.kept_work_keys() == []


def test_a_cancelled_resetChanged_leaves_all_or_nothing(item, stored, redis_params):
    schema = item._validated()

    def data_set(number):
        return [item(name='x', n=n, edition=number) for n in range(number, number + 300)]

    item.reset(data_set(0))

    def begin(number):
        groups = [(schema, data_set(number + 1), (schema.columns['n'],), None)]
        return diff.merge_all(groups, b'token%d' % number, 1000)

    def look():
        found = item.objects.all()
        assert len({obj.edition for obj in found}) == 1
        assert {obj.n - obj.edition for obj in found} == set(range(300))
        stored.check(pending=True)

    cut = asyncio.run(cancel_often(redis_params, begin, look))
    assert cut >= 10
    stored.end_lock()
    item.reset(edition(item, 0, 3))
    stored.check()
    assert stored.kept_work_keys() == []


def test_a_cancelled_destroyModel_leaves_all_or_nothing(
    item, stored, redis_params, raw, monkeypatch
):
    monkeypatch.setattr(destroy, 'PAGE', 2)
    schema = item._validated()
    item.saver.save(edition(item, 0, 60))

    def begin(number):
        return destroy.destroy(schema, b'token%d' % number)

    def look():
        assert item.objects.count() in (0, 60)
        stored.end_lock()
        item.reset(edition(item, 0, 60))
        stored.check()

    cut = asyncio.run(cancel_often(redis_params, begin, look))
    assert cut >= 10
    item.deleter.destroyModel()
    assert but_counters(raw) == []


def test_a_cancelled_save_or_read_leaves_the_connection_clean(item, stored, redis_params):
    schema = item._validated()
    item.reset(edition(item, 0, 600))

    def begin(number):
        if number % 2:
            return fetch.fetch(query.Query(schema))
        return saving.save(schema, edition(item, 1, 100), [None] * 100)

    def look():
        assert item.objects.filter(edition=1).count() % 100 == 0

    cut = asyncio.run(cancel_often(redis_params, begin, look))
    assert cut >= 1  # on a busy machine; tests/aio cancels at every single place
    stored.check()
