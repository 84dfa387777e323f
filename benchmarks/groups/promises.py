"""Measure what each promise costs: the same work as the library does it, and without one promise.

Both ways have the same rows, executor and connection. Two processes take turns, one for each way.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import redis

from IndexedRedis._core.expressions.matching import Matcher
from IndexedRedis._core.flows import Batch, Flow, Stream, ask, chunks
from IndexedRedis._core.queries import by_pk, fetch
from IndexedRedis._core.queries.query import Query
from IndexedRedis._core.queries.sources.base import Source
from IndexedRedis._core.queries.sources.choose import sources
from IndexedRedis.connections.threads import getRedisPool
from IndexedRedis.executors.sync import SyncExecutor

from .. import machine
from ..dataset import make
from ..results import US, Result
from ..running.run import Run
from ..running.served import Work
from ..running.turns import compare, wait_and_total
from ..subjects import Row
from ..subjects.by_hand import DATA, KEYS, NEXT, index, pairs_of, sets_of
from .shop import Shop

# Everything in one round trip: it draws the pk and writes without a check.
BLIND_INSERT = """
local pk = redis.call('INCR', KEYS[1])
redis.call('HSET', ARGV[1] .. pk, unpack(ARGV, 2))
for k = 2, #KEYS do redis.call('SADD', KEYS[k], pk) end
return pk
"""


def promises(run: Run) -> Iterator[Result]:
    """Time each work with a promise and without it, then the reset beside a reader."""
    data = make('tracks', run.sizes.duels + 101)
    for group, cores in (('promises', 'together'), ('resets', 'free')):
        # A reader has to run while the server resets.
        machine.place(run.server, cores)
        for result in compare(run, group, run.crew('promises', [US, 'without it'], data=data)):
            yield from wait_and_total(result) if group == 'resets' else [result]


class Promises(Shop):
    """The works of one way."""

    def promises(self) -> Iterator[Work]:
        """Yield all works but the reset."""
        yield from inserts(self)
        yield from updates(self)
        yield from deletes(self)
        yield from reads(self)

    def resets(self) -> Iterator[Work]:
        """Yield the reset."""
        return resets(self)


serve = Promises


def inserts(shop: Shop) -> Iterator[Work]:
    """Yield saves of new tracks. Without the promise, rows are stored as they are."""
    sha = shop.client.script_load(BLIND_INSERT).encode()
    some, bulk = shop.sizes.calls // 2, shop.sizes.duel

    def new(count: int) -> Any:
        objects = shop.new(count)
        return objects if shop.keep else shop.rows[:count]

    def in_multi(row: Row) -> None:
        shop.transaction(shop.storing([row]))

    def in_script(row: Row) -> None:
        keys = [NEXT, *sets_of(row, shop.indexed)]
        shop.send(('EVALSHA', sha, len(keys), *keys, DATA, *pairs_of(row)))

    def in_pipeline(rows: list[Row]) -> None:
        shop.send(*shop.storing(rows))

    save, one = shop.model.saver.save, partial(new, some)
    title = 'insert | INCR, then a MULTI, without checks'
    yield shop.work('4, 6', title, save, in_multi, one, some)
    title = 'insert | one script, without checks'
    yield shop.work('4, 6', title, save, in_script, one, some)
    title = f'bulk insert of {bulk:,} | a pipeline without MULTI and checks'
    yield shop.work('4', title, save, in_pipeline, partial(new, bulk))


def updates(shop: Shop) -> Iterator[Work]:
    """Yield updates of tracks whose genre is 'old'."""
    some = shop.sizes.calls // 2

    def prepare() -> list[Any]:
        shop.model.deleter.destroyModel()
        objects = [shop.model(genre='old') for _ in range(some)]
        shop.model.saver.save(objects)
        return objects

    def save(name: str, track: Any) -> None:
        setattr(track, name, 'new')
        track.save()

    def move(track: Any) -> None:
        pk, (leave, enter) = track._id, (index('genre', each) for each in ('old', 'new'))
        write = ('HSET', f'{DATA}{pk}', 'genre', 'new')
        shop.transaction([write, ('SREM', leave, pk), ('SADD', enter, pk)])

    def put(track: Any) -> None:
        shop.send(('HSET', f'{DATA}{track._id}', 'composer', 'new'))

    title = 'update of an indexed field | a MULTI of HSET, SREM, SADD'
    yield shop.work('1, 3', title, partial(save, 'genre'), move, prepare, some)
    title = 'update of another field | HSET'
    yield shop.work('3', title, partial(save, 'composer'), put, prepare, some)


def deletes(shop: Shop) -> Iterator[Work]:
    """Yield deletes of one track, and of many at a time."""

    def prepare(total: int, size: int) -> list[list[Any]]:
        objects = shop.filled(total)
        return [objects[start : start + size] for start in range(0, total, size)]

    def blind(objects: list[Any]) -> None:
        commands = []
        for pk in (obj._id for obj in objects):
            commands.append(('UNLINK', f'{DATA}{pk}'))
            commands += [('SREM', key, pk) for key in sets_of(shop.rows[pk - 1], shop.indexed)]
        shop.transaction(commands)

    some, bulk, delete = shop.sizes.calls // 2, shop.sizes.duel, shop.model.deleter.deleteMultiple
    for what, size, total in (('one', 1, some), (f'{bulk // 4} at a time', bulk // 4, bulk)):
        title = f'delete of {what} | a MULTI of UNLINK and SREM'
        yield shop.work('1, 3', title, delete, blind, partial(prepare, total, size), total // size)


def resets(shop: Shop) -> Iterator[Work]:
    """Yield a reset, staged and swapped or in one transaction."""
    size = shop.sizes.duels

    def prepare() -> list[Any]:
        if shop.model.objects.count() != size:
            shop.filled(size)
        return [shop.model(**row) for row in shop.rows[:size]]

    def blind(_: Any) -> None:
        (pks,) = shop.send(('SMEMBERS', KEYS))
        commands = shop.storing(shop.rows[:size])
        old = [f'{DATA}{int(pk)}' for pk in pks]
        sets = [command[1] for command in commands if command[0] == 'SADD']
        shop.transaction([('UNLINK', *old, *sets), *commands])

    title, rounds = f'reset of {size:,} | in one MULTI', min(25, 2 * shop.sizes.rounds)
    how = {'how': 'beside', 'rounds': rounds}
    yield shop.work('4, 5', title, shop.model.reset, blind, prepare, **how)


def reads(shop: Shop) -> Iterator[Work]:
    """Yield all reads. A work that is called so many times gets the numbers of its calls."""

    def calls(count: int) -> range:
        if shop.model.objects.count() != len(shop.rows):
            shop.filled(len(shop.rows))
        return range(1, count + 1)

    for promise, title, kept, blind, count in (
        ('3, 5', 'get by pk | HMGET without SISMEMBER', *_gets(shop), shop.sizes.calls),
        *_small_queries(shop),
        *_large_queries(shop),
        *_pools(shop),
    ):
        yield shop.work(promise, title, kept, blind, partial(calls, count), count)


def _gets(shop: Shop) -> tuple[Callable[[int], Any], Callable[[int], Any]]:
    schema = shop.schema
    fields, build = schema.keys_of(schema.all), schema.builder(schema.all)

    def get(pk: int, *first: Any) -> Any:
        *_, row = shop.send(*first, *by_pk.row_commands(schema, (pk,), fields))
        return build.objects([pk], [row], b'')[0]

    return lambda pk: get(pk, ('SISMEMBER', KEYS, pk)), get


def _small_queries(shop: Shop) -> Iterator[Any]:
    """Yield queries of 100 rows, in one round trip."""
    keys, fields = shop.schema.keys, shop.schema.keys_of(shop.schema.all)
    query = shop.model.objects.filter(shelf=100)._query
    living, alone = _sources(query)

    def flow(source: Source, check: bool) -> Flow[Any]:
        markers = keys.swapped, keys.incarnations
        command = source.find(10, 100, keys.data_prefix, *markers, *fields)
        assert command is not None
        pks, rows, *_ = yield from ask(*command)
        return _objects(shop, query, [*map(int, pks)], rows, check)

    def find(source: Source, check: bool, _: int) -> Any:
        return shop.run(flow(source, check))

    calls, blind = shop.sizes.calls // 5, partial(find, alone, False)
    title = 'query of 100 rows | :keys not among the sets'
    yield '1', title, partial(find, living, False), blind, calls
    title = 'query of 100 rows | rows not compared with the filter'
    yield '5', title, partial(find, alone, True), blind, calls


def _large_queries(shop: Shop) -> Iterator[Any]:
    """Yield pks of nearly all tracks, and a thousand rows in chunks."""
    schema, fields = shop.schema, shop.schema.keys_of(shop.schema.all)
    query = shop.model.objects.filter(shelf=0)._query
    pks = list(range(1, 1 + shop.sizes.duel))

    def flow(marker: bool, check: bool) -> Flow[Any]:
        rows: list[Any] = []
        if marker:
            yield from ask(*fetch.read_markers(schema.keys))
        parts = chunks(pks, by_pk.CHUNK_ROWS)
        yield Stream((Batch(by_pk.row_commands(schema, p, fields)) for p in parts), rows.extend)
        return _objects(shop, query, pks, rows, check)

    def read(marker: bool, check: bool, _: Any) -> Any:
        return shop.run(flow(marker, check))

    def members(source: Source, _: int) -> Any:
        return shop.send(*source.commands())

    title = f'pks of {shop.sizes.duels:,} | SMEMBERS of the index, without :keys'
    living, alone = (partial(members, source) for source in _sources(query))
    yield '1', title, living, alone, max(1, shop.sizes.calls // 25)
    title, blind = f'rows of {len(pks):,} |', partial(read, False, False)
    yield '5', f'{title} not compared with the filter', partial(read, False, True), blind, 1
    yield '5', f'{title} the swap marker not read again', partial(read, True, False), blind, 1


def _sources(query: Query) -> list[Source]:
    """Return the source of a query of one set, and the same without the set of all pks."""
    (living,), (alone,) = query.sources, sources(query.schema.keys, query.filters, False)
    return [living, alone]


def _objects(shop: Shop, query: Query, pks: list[int], rows: list[Any], check: bool) -> Any:
    """Return objects; compare their rows with the filter of a query before if asked to."""
    columns = shop.schema.all
    if check:
        pks, rows = fetch.drop_nonmatching(Matcher(query.filters, columns), pks, rows)
    return shop.schema.builder(columns).objects(pks, rows, b'')


def _pools(shop: Shop) -> Iterator[Any]:
    ours = getRedisPool(shop.connection)
    how = {'connection_class': ours.connection_class, **ours.connection_kwargs}

    def call(pool: Any) -> Callable[[int], Any]:
        run = SyncExecutor(pool).run
        return lambda _: run(ask('GET', NEXT))

    waits = call(redis.BlockingConnectionPool(max_connections=32, timeout=20, **how))
    fails = call(redis.ConnectionPool(**how))
    lasts = call(redis.ConnectionPool(**{**how, 'socket_timeout': None}))
    calls = 2 * shop.sizes.calls
    yield '8', 'any call | a pool that fails when it is empty', waits, fails, calls
    yield '7', 'any call | no time-out', fails, lasts, calls
