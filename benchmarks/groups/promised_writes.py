"""List writes with and without a check of what is stored."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from ..running.served import Work
from ..subjects import Row
from .promises import Shop, stored

# Everything in one round trip: it draws the pk and writes without a check.
BLIND_INSERT = """
local pk = redis.call('INCR', KEYS[1])
redis.call('HSET', ARGV[1] .. pk, unpack(ARGV, 2))
for k = 2, #KEYS do redis.call('SADD', KEYS[k], pk) end
return pk
"""


def writes(shop: Shop) -> Iterator[Work]:
    """Yield all but the reset."""
    some, bulk = shop.sizes.calls // 2, shop.sizes.duel
    yield from _inserts(shop, some, bulk)
    yield from _updates(shop, some)
    yield from _deletes(shop, some, bulk)


def resets(shop: Shop) -> Iterator[Work]:
    """Yield a reset, staged and swapped or in one transaction."""
    size = shop.sizes.duels

    def prepare() -> list[Any]:
        if shop.model.objects.count() != size:
            shop.filled(size)
        return [shop.model(**row) for row in shop.rows[:size]]

    def blind(_: Any) -> None:
        (pks,) = shop.send(('SMEMBERS', shop.keys.all))
        commands = shop.storing(shop.rows[:size])
        old = [shop.keys.data(int(pk)) for pk in pks]
        sets = [command[1] for command in commands if command[0] == 'SADD']
        shop.transaction([('UNLINK', *old, *sets), *commands])

    title, rounds = f'reset of {size:,} | in one MULTI', min(25, 2 * shop.sizes.rounds)
    how = {'how': 'beside', 'rounds': rounds}
    yield shop.work('4, 5', title, shop.model.reset, blind, prepare, **how)


def _inserts(shop: Shop, some: int, bulk: int) -> Iterator[Work]:
    keys, sha = shop.keys, shop.client.script_load(BLIND_INSERT).encode()

    def new(count: int) -> Any:
        objects = shop.new(count)
        return objects if shop.keep else shop.rows[:count]

    def in_multi(row: Row) -> None:
        shop.transaction(shop.storing([row]))

    def in_script(row: Row) -> None:
        sets = [keys.next, *shop.sets(row)]
        shop.send(('EVALSHA', sha, len(sets), *sets, keys.data_prefix, *stored(row)))

    def in_pipeline(rows: list[Row]) -> None:
        shop.send(*shop.storing(rows))

    many = f'bulk insert of {bulk:,} | a pipeline without MULTI and checks'
    for promise, title, blind, count, per in (
        ('4, 6', 'insert | INCR, then a MULTI, without checks', in_multi, some, some),
        ('4, 6', 'insert | one script, without checks', in_script, some, some),
        ('4', many, in_pipeline, bulk, 1),
    ):
        yield shop.work(promise, title, shop.model.saver.save, blind, partial(new, count), per)


def _updates(shop: Shop, some: int) -> Iterator[Work]:
    """Yield updates of tracks whose genre is 'old'."""

    def prepare() -> list[Any]:
        shop.model.deleter.destroyModel()
        objects = [shop.model(genre='old') for _ in range(some)]
        shop.model.saver.save(objects)
        return objects

    def save(name: str, track: Any) -> None:
        setattr(track, name, 'new')
        track.save()

    def move(track: Any) -> None:
        leave, enter = (shop.keys.index(b'genre', value) for value in (b'old', b'new'))
        pk, data = track._id, shop.keys.data(track._id)
        write = ('HSET', data, b'genre', b'new')
        shop.transaction([write, ('SREM', leave, pk), ('SADD', enter, pk)])

    def put(track: Any) -> None:
        shop.send(('HSET', shop.keys.data(track._id), b'composer', b'new'))

    title = 'update of an indexed field | a MULTI of HSET, SREM, SADD'
    yield shop.work('1, 3', title, partial(save, 'genre'), move, prepare, some)
    title = 'update of another field | HSET'
    yield shop.work('3', title, partial(save, 'composer'), put, prepare, some)


def _deletes(shop: Shop, some: int, bulk: int) -> Iterator[Work]:
    def prepare(total: int, size: int) -> list[list[Any]]:
        objects = shop.filled(total)
        return [objects[start : start + size] for start in range(0, total, size)]

    def blind(objects: list[Any]) -> None:
        commands = []
        for pk in (obj._id for obj in objects):
            commands.append(('UNLINK', shop.keys.data(pk)))
            commands += [('SREM', key, pk) for key in shop.sets(shop.rows[pk - 1])]
        shop.transaction(commands)

    for what, size, total in (('one', 1, some), (f'{bulk // 4} at a time', bulk // 4, bulk)):
        title = f'delete of {what} | a MULTI of UNLINK and SREM'
        fill, delete = partial(prepare, total, size), shop.model.deleter.deleteMultiple
        yield shop.work('1, 3', title, delete, blind, fill, total // size)
