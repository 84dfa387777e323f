"""Save and delete, with and without a check of what is stored."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from IndexedRedis._core.script import Script

from .shop import BULK, ONE_BY_ONE, Duel, Shop, of_all, stored

# Everything in one round trip: it draws the pk and writes without a check.
BLIND_INSERT = Script(
    'blind_insert',
    """
local pk = redis.call('INCR', KEYS[1])
redis.call('HSET', ARGV[1] .. pk, unpack(ARGV, 2))
for k = 2, #KEYS do redis.call('SADD', KEYS[k], pk) end
return pk
""",
)


def inserts(shop: Shop) -> Iterator[Duel]:
    tracks: list[Any] = []
    rows = shop.rows[:ONE_BY_ONE]

    def prepare() -> None:
        shop.clear()
        tracks[:] = shop.make(ONE_BY_ONE)

    def in_multi(row: Any) -> None:
        shop.transaction(shop.storing([row]))

    def in_script(row: Any) -> None:
        keys = [shop.keys.next, shop.keys.all, *shop.index_keys(row)]
        shop.send(BLIND_INSERT(keys, shop.keys.data_prefix, *stored(row)))

    for way, without in (
        (in_multi, '``INCR``, then a ``MULTI`` that checks nothing'),
        (in_script, 'one script that draws the pk itself and checks nothing'),
    ):
        kept, blind = of_all(shop.model.saver.save, tracks), of_all(way, rows)
        yield Duel('4, 6', 'insert', without, kept, blind, ONE_BY_ONE, prepare)


def updates(shop: Shop) -> Iterator[Duel]:
    """Of tracks whose genre is 'old'."""
    tracks: list[Any] = []

    def prepare() -> None:
        shop.clear()
        tracks[:] = [shop.model(genre='old') for _ in range(ONE_BY_ONE)]
        shop.model.saver.save(tracks)

    def save(name: str, track: Any) -> None:
        setattr(track, name, 'new')
        track.save()

    def moved(track: Any) -> None:
        leave, enter = (shop.keys.index(b'genre', value) for value in (b'old', b'new'))
        pk, data = track._id, shop.keys.data(track._id)
        write = ('HSET', data, b'genre', b'new')
        shop.transaction([write, ('SREM', leave, pk), ('SADD', enter, pk)])

    def put(track: Any) -> None:
        shop.send(('HSET', shop.keys.data(track._id), b'composer', b'new'))

    moving = '1, 3', 'update of an indexed field', 'a ``MULTI`` of ``HSET``, ``SREM``, ``SADD``'
    putting = '3', 'update of another field', '``HSET``'
    for texts, name, way in ((moving, 'genre', moved), (putting, 'composer', put)):
        kept, blind = of_all(partial(save, name), tracks), of_all(way, tracks)
        yield Duel(*texts, kept, blind, ONE_BY_ONE, prepare)


def bulk_insert(shop: Shop) -> Iterator[Duel]:
    tracks: list[Any] = []
    rows = shop.rows[:BULK]

    def prepare() -> None:
        shop.clear()
        tracks[:] = shop.make(len(rows))

    yield Duel(
        '4',
        f'bulk insert of {len(rows):,}',
        'a pipeline without ``MULTI`` and checks',
        lambda: shop.model.saver.save(tracks),
        lambda: shop.send(*shop.storing(rows)),
        prepare=prepare,
    )


def deletes(shop: Shop) -> Iterator[Duel]:
    pieces: list[list[Any]] = []

    def prepare(total: int, size: int) -> None:
        tracks = shop.fill(total)
        pieces[:] = [tracks[start : start + size] for start in range(0, total, size)]

    def blind(tracks: list[Any]) -> None:
        commands = []
        for track in tracks:
            pk = track._id
            sets = [shop.keys.all, *shop.index_keys(shop.rows[pk - 1])]
            commands += [('UNLINK', shop.keys.data(pk)), *(('SREM', key, pk) for key in sets)]
        shop.transaction(commands)

    for size, total in ((1, ONE_BY_ONE), (250, BULK)):
        yield Duel(
            '1, 3',
            'delete of one' if size == 1 else f'delete of {size} at a time',
            'a ``MULTI`` of ``UNLINK`` and ``SREM``',
            of_all(shop.model.deleter.deleteMultiple, pieces),
            of_all(blind, pieces),
            total // size,
            partial(prepare, total, size),
        )
