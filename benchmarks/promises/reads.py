"""Reading, with and without a look at what else is there; and what any call needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import redis

from IndexedRedis._core.flows import Batch, Flow, Stream, ask, chunks
from IndexedRedis._core.queries import by_pk, fetch, set_algebra
from IndexedRedis.connections.threads import getRedisPool
from IndexedRedis.executors.sync import SyncExecutor

from .duel import Duel
from .shop import BULK, Shop, of_each

__all__ = ('gets', 'large_queries', 'pools', 'small_queries')


def gets(shop: Shop) -> Duel:
    schema = shop.schema
    fields = schema.keys_of(schema.all)
    build = schema.builder(schema.all)

    def kept(pk: int) -> Flow[Any]:
        row_command = by_pk.row_commands(schema, (pk,), fields)
        there, row = yield Batch([('SISMEMBER', shop.keys.all, pk), *row_command])
        return build.objects([pk], [row])[0] if there else None

    def blind(pk: int) -> Flow[Any]:
        (row,) = yield Batch(by_pk.row_commands(schema, (pk,), fields))
        return build.objects([pk], [row])[0]

    return Duel(
        '3, 5',
        '``get`` by pk',
        '``HMGET`` without ``SISMEMBER`` in the same trip',
        of_each(shop, kept, list(range(1, 101))),
        of_each(shop, blind, list(range(1, 101))),
        100,
    )


def small_queries(shop: Shop) -> Iterator[Duel]:
    """Of 100 rows, in one trip."""
    schema, columns = shop.schema, shop.schema.all
    fields = schema.keys_of(columns)
    query = shop.model.objects.filter(shelf=100)._query
    (living,), (alone,) = query.living, query.expressions

    def find(expression: Any, settle: bool) -> Flow[Any]:
        found = yield from ask(*fetch.find(query, expression, fields, 2000, 100))
        pks, got = [int(pk) for pk in found[0]], found[1]
        if settle:
            pks, got = fetch.settle(query, columns, pks, got)
        return schema.builder(columns).objects(pks, got)

    def times(*args: Any) -> Callable[[], None]:
        return of_each(shop, lambda _: find(*args), [None] * 20)

    work, blind = 'query of 100 rows', times(alone, False)
    yield Duel('1', work, '``:keys`` not among the sets', times(living, False), blind, 20)
    yield Duel('5', work, 'rows not compared with the filter', times(alone, True), blind, 20)


def large_queries(shop: Shop) -> Iterator[Duel]:
    """Pks of nearly all tracks; a thousand rows in chunks."""
    schema, columns = shop.schema, shop.schema.all
    fields = schema.keys_of(columns)
    query = shop.model.objects.filter(shelf=0)._query
    (living,), (alone,) = query.living, query.expressions

    def in_chunks(note: bool, settle: bool) -> Flow[Any]:
        pks = list(range(200, 200 + BULK))
        got: list[Any] = []
        if note:
            yield from ask('GET', shop.keys.swapped)
        batches = (
            Batch(by_pk.row_commands(schema, some, fields))
            for some in chunks(pks, by_pk.CHUNK_ROWS)
        )
        yield Stream(batches, got.extend)
        if settle:
            pks, got = fetch.settle(query, columns, pks, got)
        return schema.builder(columns).objects(pks, got)

    members = (
        of_each(shop, lambda each: ask(*set_algebra.members(each)), [expression] * 4)
        for expression in (living, alone)
    )
    yield Duel('1', 'pks of 9,900', '``SMEMBERS`` of the index, without ``:keys``', *members, 4)
    noted, settled, blind = (
        of_each(shop, lambda how: in_chunks(*how), [how])
        for how in ((True, False), (False, True), (False, False))
    )
    work = f'rows of {BULK:,}'
    yield Duel('5', work, 'rows not compared with the filter', settled, blind, repeat=61)
    yield Duel('5', work, 'no second look at the note of resets', noted, blind, repeat=61)


def pools(shop: Shop) -> Iterator[Duel]:
    ours = getRedisPool(shop.params)
    how = {'connection_class': ours.connection_class, **ours.connection_kwargs}
    waiting = redis.BlockingConnectionPool(max_connections=32, timeout=20, **how)
    plain = redis.ConnectionPool(**how)
    endless = redis.ConnectionPool(**{**how, 'socket_timeout': None})

    def calls(pool: Any) -> Callable[[], Any]:
        run = SyncExecutor(pool).run
        return lambda: [run(ask('GET', shop.keys.next)) for _ in range(200)]

    empty = 'a pool that fails when it is empty'
    yield Duel('8', 'any call', empty, calls(waiting), calls(plain), 200, repeat=101)
    yield Duel('7', 'any call', 'no time-out', calls(plain), calls(endless), 200, repeat=101)
