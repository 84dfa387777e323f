"""Saving and deleting, with and without a look at what is stored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from IndexedRedis._core.flows import Batch, Command, Flow, ask, chunks
from IndexedRedis._core.mapping.index_keys import index_keys_of
from IndexedRedis._core.objects.state import believed
from IndexedRedis._core.script import Script
from IndexedRedis._core.writes.bulk_insert import insert_many
from IndexedRedis._core.writes.compare_and_move import update_one
from IndexedRedis._core.writes.delete import delete_objects
from IndexedRedis._core.writes.entry import UPDATE, Entry, pairs
from IndexedRedis._core.writes.insert import Draft, insert_all

from .duel import Duel
from .shop import BULK, ONE_BY_ONE, Shop, as_transaction, number, of_each, stored

__all__ = ('bulk_insert', 'deletes', 'inserts', 'updates')

# Everything in one trip: draws the pk and writes, without a look at what is there.
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
    entries = shop.entries(shop.make(ONE_BY_ONE))
    drafts = {id(entry): Draft(shop.schema, [entry.obj], {}) for entry in entries}

    def kept(entry: Entry) -> Flow[None]:
        draft = drafts[id(entry)]
        yield from draft.draw_pks()
        yield from insert_all([draft])

    def in_multi(entry: Entry) -> Flow[None]:
        yield from number(shop, [entry])
        yield as_transaction(stored(shop, [entry])[0])

    def drawn(entry: Entry) -> Flow[None]:
        keys = [shop.keys.next, shop.keys.all, *entry.index_keys()]
        yield from ask(*BLIND_INSERT(keys, shop.keys.data_prefix, *pairs(entry)))

    for way, without in (
        (in_multi, '``INCR``, then a ``MULTI`` that checks nothing'),
        (drawn, 'one script that draws the pk itself and checks nothing'),
    ):
        ours, theirs = (of_each(shop, one, entries) for one in (kept, way))
        yield Duel('4, 6', 'insert', without, ours, theirs, ONE_BY_ONE, shop.clear)


def updates(shop: Shop) -> Iterator[Duel]:
    """Of tracks whose genre is 'old'."""
    pks = list(range(1, ONE_BY_ONE + 1))

    def prepare() -> None:
        shop.clear()
        shop.model.saver.save([shop.model(genre='old') for _ in pks])

    def moved(pk: int) -> Flow[None]:
        entry = Entry(shop.schema, pk, UPDATE, {'genre': b'new'}, {'genre': b'old'})
        yield from update_one(entry)

    def moved_blindly(pk: int) -> Flow[None]:
        genre = shop.schema.columns['genre']
        (leave,), (enter,) = (
            index_keys_of(shop.schema, genre, value) for value in (b'old', b'new')
        )
        data = shop.keys.data(pk)
        commands = [('HSET', data, b'genre', b'new'), ('SREM', leave, pk), ('SADD', enter, pk)]
        yield as_transaction(commands)

    def put(pk: int) -> Flow[None]:
        yield from update_one(Entry(shop.schema, pk, UPDATE, {'composer': b'new'}, {}))

    def put_blindly(pk: int) -> Flow[None]:
        yield from ask('HSET', shop.keys.data(pk), b'composer', b'new')

    indexed = ('1, 3', 'update of an indexed field', 'a ``MULTI`` of ``HSET``, ``SREM``, ``SADD``')
    other = ('3', 'update of another field', '``HSET``')
    for texts, kept, blind in ((indexed, moved, moved_blindly), (other, put, put_blindly)):
        ours, theirs = (of_each(shop, one, pks) for one in (kept, blind))
        yield Duel(*texts, ours, theirs, ONE_BY_ONE, prepare)


def bulk_insert(shop: Shop) -> Duel:
    entries = shop.entries(shop.make(BULK))
    draft = Draft(shop.schema, shop.make(BULK), {})

    def kept() -> Flow[None]:
        yield from draft.draw_pks()
        yield from insert_many([draft])

    def blind() -> Flow[None]:
        yield from number(shop, entries)
        yield Batch(stored(shop, entries)[0])

    return Duel(
        '4',
        f'bulk insert of {BULK:,}',
        'a pipeline without ``MULTI`` and checks',
        lambda: shop.run(kept()),
        lambda: shop.run(blind()),
        prepare=shop.clear,
    )


def deletes(shop: Shop) -> Iterator[Duel]:
    objs: list[Any] = []

    def commands(obj: Any) -> list[Command]:
        leave = [
            key
            for column in shop.schema.indexed
            for key in index_keys_of(shop.schema, column, believed(obj, column))
        ]
        sets_of_pk = [shop.keys.all, *leave]
        return [('UNLINK', shop.keys.data(obj._id)), *(('SREM', k, obj._id) for k in sets_of_pk)]

    def blind(some: list[Any]) -> Flow[None]:
        yield as_transaction([command for obj in some for command in commands(obj)])

    def kept(some: list[Any]) -> Flow[int]:
        return (yield from delete_objects(shop.schema, some))

    for size, total in ((1, ONE_BY_ONE), (250, BULK)):
        yield Duel(
            '1, 3',
            'delete of one' if size == 1 else f'delete of {size} at a time',
            'a ``MULTI`` of ``UNLINK`` and ``SREM``',
            lambda size=size: of_each(shop, kept, list(chunks(objs, size)))(),
            lambda size=size: of_each(shop, blind, list(chunks(objs, size)))(),
            total // size,
            lambda total=total: objs.__setitem__(slice(None), shop.fill(total)),
        )
