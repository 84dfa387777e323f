"""List writes with and without a check of what is stored."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from ..running.work import Work
from .shop import Row, Shop, of_each, stored

ONE_BY_ONE = 50
BULK = 1000
PIECE = 250
# Everything in one round trip: it draws the pk and writes without a check.
BLIND_INSERT = """
local pk = redis.call('INCR', KEYS[1])
redis.call('HSET', ARGV[1] .. pk, unpack(ARGV, 2))
for k = 2, #KEYS do redis.call('SADD', KEYS[k], pk) end
return pk
"""


def writes(shop: Shop) -> Iterator[Work]:
    """Yield all but the reset."""
    yield from _inserts(shop)
    yield from _updates(shop)
    yield from _deletes(shop)


def reset(shop: Shop) -> Work:
    """Return a reset, staged and swapped or in one transaction."""
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

    title, rounds = f'reset of {size:,}', min(25, 2 * shop.sizes.rounds)
    how = {'how': 'beside', 'rounds': rounds}
    return shop.work('4, 5', f'{title} | in one MULTI', shop.model.reset, blind, prepare, **how)


def _inserts(shop: Shop) -> Iterator[Work]:
    save, rows = shop.model.saver.save, shop.rows[:BULK]
    sha = shop.client.script_load(BLIND_INSERT).encode()

    def in_multi(row: Row) -> None:
        shop.transaction(shop.storing([row]))

    def in_script(row: Row) -> None:
        keys = [shop.keys.next, shop.keys.all, *shop.index_keys(row)]
        shop.send(('EVALSHA', sha, len(keys), *keys, shop.keys.data_prefix, *stored(row)))

    def one_by_one() -> Any:
        objects = shop.new(ONE_BY_ONE)
        return objects if shop.keep else rows[:ONE_BY_ONE]

    for without, blind in (('INCR, then a MULTI', in_multi), ('one script', in_script)):
        kept, title = of_each(save), f'insert | {without}, without checks'
        yield shop.work('4, 6', title, kept, of_each(blind), one_by_one, per=ONE_BY_ONE)
    title = f'bulk insert of {BULK:,} | a pipeline without MULTI and checks'
    yield shop.work(
        '4', title, save, lambda _: shop.send(*shop.storing(rows)), lambda: shop.new(BULK)
    )


def _updates(shop: Shop) -> Iterator[Work]:
    """Yield updates of tracks whose genre is 'old'."""

    def prepare() -> list[Any]:
        shop.model.deleter.destroyModel()
        objects = [shop.model(genre='old') for _ in range(ONE_BY_ONE)]
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

    for promise, title, name, blind in (
        ('1, 3', 'update of an indexed field | a MULTI of HSET, SREM, SADD', 'genre', move),
        ('3', 'update of another field | HSET', 'composer', put),
    ):
        kept = of_each(partial(save, name))
        yield shop.work(promise, title, kept, of_each(blind), prepare, per=ONE_BY_ONE)


def _deletes(shop: Shop) -> Iterator[Work]:
    def prepare(total: int, size: int) -> list[list[Any]]:
        objects = shop.filled(total)
        return [objects[start : start + size] for start in range(0, total, size)]

    def blind(objects: list[Any]) -> None:
        commands = []
        for obj in objects:
            pk, keys = obj._id, shop.index_keys(shop.rows[obj._id - 1])
            commands.append(('UNLINK', shop.keys.data(pk)))
            commands += [('SREM', key, pk) for key in (shop.keys.all, *keys)]
        shop.transaction(commands)

    kept = of_each(shop.model.deleter.deleteMultiple)
    for what, size, total in (('one', 1, ONE_BY_ONE), (f'{PIECE} at a time', PIECE, BULK)):
        title, fill = (
            f'delete of {what} | a MULTI of UNLINK and SREM',
            partial(prepare, total, size),
        )
        yield shop.work('1, 3', title, kept, of_each(blind), fill, per=total // size)
