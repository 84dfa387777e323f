"""Read, with and without a check of what else is stored; and what any call needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import redis

from IndexedRedis._core.flows import Batch, Flow, Stream, ask, chunks
from IndexedRedis._core.queries import by_pk, fetch, set_algebra
from IndexedRedis._core.queries.matching import Matcher
from IndexedRedis.connections.threads import getRedisPool
from IndexedRedis.executors.sync import SyncExecutor

from .shop import BULK, Duel, Shop, of_all


def gets(shop: Shop) -> Iterator[Duel]:
    schema, pks = shop.schema, range(1, 101)
    fields, build = schema.keys_of(schema.all), schema.builder(schema.all)

    def get(pk: int, check: bool) -> Any:
        commands = by_pk.row_commands(schema, (pk,), fields)
        if check:
            commands = [('SISMEMBER', shop.keys.all, pk), *commands]
        return build.objects([pk], shop.send(*commands)[-1:])[0]

    kept, blind = (of_all(partial(get, check=check), pks) for check in (True, False))
    without = '``HMGET`` without ``SISMEMBER`` in the same trip'
    yield Duel('3, 5', '``get`` by pk', without, kept, blind, len(pks))


def small_queries(shop: Shop) -> Iterator[Duel]:
    """Of 100 rows, in one round trip."""
    schema, columns = shop.schema, shop.schema.all
    fields = schema.keys_of(columns)
    query = shop.model.objects.filter(shelf=100)._query
    (living,), (alone,) = query.excluding_dead, query.expressions

    def find(expression: Any, check: bool) -> Flow[Any]:
        answer = yield from ask(*fetch.find(query, expression, fields, 2000, 100))
        pks, rows = [int(pk) for pk in answer[0]], answer[1]
        if check:
            pks, rows = fetch.drop_nonmatching(Matcher(query.filters, columns), pks, rows)
        return schema.builder(columns).objects(pks, rows)

    def times(*args: Any) -> Callable[[], None]:
        return of_all(lambda _: shop.run(find(*args)), range(20))

    work, blind = 'query of 100 rows', times(alone, False)
    yield Duel('1', work, '``:keys`` not among the sets', times(living, False), blind, 20)
    yield Duel('5', work, 'rows not compared with the filter', times(alone, True), blind, 20)


def large_queries(shop: Shop) -> Iterator[Duel]:
    """Pks of nearly all tracks; a thousand rows in chunks."""
    schema, columns = shop.schema, shop.schema.all
    fields = schema.keys_of(columns)
    query = shop.model.objects.filter(shelf=0)._query
    (living,), (alone,) = query.excluding_dead, query.expressions

    def in_chunks(note: bool, check: bool) -> Flow[Any]:
        pks = list(range(200, 200 + BULK))
        rows: list[Any] = []
        if note:
            yield from ask('GET', shop.keys.swapped)
        batches = (
            Batch(by_pk.row_commands(schema, some, fields))
            for some in chunks(pks, by_pk.CHUNK_ROWS)
        )
        yield Stream(batches, rows.extend)
        if check:
            fetch.drop_nonmatching(Matcher(query.filters, columns), pks, rows)
        return schema.builder(columns).objects(pks, rows)

    def members(expression: Any) -> Callable[[], None]:
        return of_all(lambda _: shop.send(set_algebra.members(expression)), range(4))

    def times(*args: Any) -> Callable[[], Any]:
        return lambda: shop.run(in_chunks(*args))

    work, without = f'pks of {shop.size - 101:,}', '``SMEMBERS`` of the index, without ``:keys``'
    yield Duel('1', work, without, members(living), members(alone), 4)
    work, blind = f'rows of {BULK:,}', times(False, False)
    compared, noted = times(False, True), times(True, False)
    yield Duel('5', work, 'rows not compared with the filter', compared, blind, repeat=61)
    yield Duel('5', work, 'the swap marker is not read again', noted, blind, repeat=61)


def pools(shop: Shop) -> Iterator[Duel]:
    ours = getRedisPool(shop.params)
    how = {'connection_class': ours.connection_class, **ours.connection_kwargs}
    waiting = redis.BlockingConnectionPool(max_connections=32, timeout=20, **how)
    plain = redis.ConnectionPool(**how)
    endless = redis.ConnectionPool(**{**how, 'socket_timeout': None})

    def calls(pool: Any) -> Callable[[], None]:
        run = SyncExecutor(pool).run
        return of_all(lambda _: run(ask('GET', shop.keys.next)), range(200))

    empty = 'a pool that fails when it is empty'
    yield Duel('8', 'any call', empty, calls(waiting), calls(plain), 200, repeat=101)
    yield Duel('7', 'any call', 'no time-out', calls(plain), calls(endless), 200, repeat=101)
