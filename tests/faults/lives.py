"""One of several processes that do whatever comes, until they are killed. The rule: each writes
down what it is about to do, and what came of it, so that `judge.py` can tell what must be stored.

Run by `jobs.py`. A line of a diary is JSON: of a write its number, which all of its objects bear as
their edition, then its outcome; of a read what it gave.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import count
from time import monotonic
from typing import Any
from unittest.mock import patch

import redis

import IndexedRedis as IR
from faults.item import Box, Item
from IndexedRedis._core.bulk import delete, insert, redo
from IndexedRedis._core.locking import locks
from IndexedRedis._core.resets import index_fill, staging, swap
from IndexedRedis._core.writes import sizes
from IndexedRedis.errors import (
    ConflictError,
    ObjectGoneError,
    ResetInProgressError,
    ResetLostError,
    TooManyChangesError,
)

# From here on writes go in steps, and so they are cut into more of them.
SMALL = {
    sizes: {'SCRIPT_US': 150, 'STEP_US': 50},
    insert: {'CHUNK': 5, 'LISTED': 5, 'PUBLISHED_AT_ONCE': 10},
    redo: {'PUBLISHED_AT_ONCE': 10, 'ROWS_OF_A_PAGE': 10},
    delete: {'CHUNK': 10},
    swap: {'BLOCK': 10},
    staging: {'CHUNK': 5},
    index_fill: {'MOST': 5},
}
# Errors after which nothing was changed, and after which nobody knows.
NOTHING = (ObjectGoneError, ResetInProgressError, ResetLostError, TooManyChangesError)
UNKNOWN = (ConflictError, redis.ConnectionError, redis.TimeoutError)


def live(_: Any, seed: int, first: int, diary: str, lock_ms: int, small: bool) -> None:
    """Do one thing after the other until killed.

    :param first: number of the first write
    :param diary: the file to write into
    :param lock_ms: how long locks live
    :param small: whether short lists go in steps
    """
    locks.LOCK_MS = lock_ms
    for place, values in SMALL.items() if small else ():
        patch.multiple(place, **values).start()
    with open(diary, 'ab', buffering=0) as file:
        life = Life(random.Random(seed), first, file.write)
        while True:
            life.act()


def text(edition: int, place: int, n: int) -> str:
    """The name of an object: all that its row holds."""
    return f'{edition}/{place}/{n}'


class Life:
    """What a process knows: objects that it fetched, long ago maybe."""

    def __init__(self, chance: random.Random, first: int, write: Callable[[bytes], Any]) -> None:
        self._chance, self._numbers, self._write = chance, count(first), write
        self._known: list[Any] = []
        self._ways = [getattr(self, name) for name in WAYS]

    def act(self) -> None:
        """Do one thing."""
        (way,) = self._chance.choices(self._ways, WAYS.values())
        way()

    # -- diary ---------------------------------------------------------------------------------

    def _say(self, **what: Any) -> None:
        self._write(json.dumps(what).encode() + b'\n')

    def _do(
        self,
        way: str,
        act: Callable[[], Any],
        objs: Any = (),
        edition: int = 0,
        gone: Any = (),
        wipes: Any = None,
        whole: bool = True,
    ) -> None:
        """Write; `objs` get this edition, the pks `gone` are removed.

        :param wipes: 'all', or the ``n`` of the objects to be removed
        :param whole: whether it happens completely or not at all
        """
        number = edition or next(self._numbers)
        rows = [[obj._id, obj.n] for obj in objs]
        what = {'rows': rows, 'gone': [*gone], 'wipes': wipes, 'whole': whole}
        self._say(write=number, way=way, began=monotonic(), **what)
        error = ''
        try:
            act()
            outcome = 'done'
        except (*NOTHING, *UNKNOWN) as raised:
            certain = isinstance(raised, NOTHING) and way != 'destroy'
            outcome, error = 'nothing' if certain else 'unknown', repr(raised)
            failed = {id(obj) for obj in objs}
            self._known = [obj for obj in self._known if id(obj) not in failed]
        pks = [obj._id for obj in objs] if outcome == 'done' else []
        self._say(outcome=outcome, of=number, ended=monotonic(), pks=pks, error=error)

    def _read(self, way: str, read: Callable[[], Any], pks: Any = (), every: bool = False) -> None:
        """Read; what comes must be whole.

        :param pks: those asked for
        :param every: whether all that is stored must come
        """
        began = monotonic()
        try:
            found = [obj for obj in read() if obj is not None]
        except UNKNOWN:
            return
        rows = [[obj._id, obj.name, obj.n, obj.edition] for obj in found]
        absent = [pk for pk in pks if pk not in {obj._id for obj in found}]
        self._say(read=way, began=began, ended=monotonic(), rows=rows, absent=absent, every=every)
        some = self._chance.sample(found, min(len(found), 20))
        self._known = [*self._chance.sample(self._known, min(len(self._known), 20)), *some]

    # -- objects -------------------------------------------------------------------------------

    def _new(self, edition: int, size: int, pks: Iterable[int] = ()) -> list[Any]:
        objs, given = [], iter(pks)
        for place in range(size):
            n = self._chance.randrange(7)
            pk = next(given, None)
            own = {} if pk is None else {'_id': pk}
            objs.append(Item(name=text(edition, place, n), n=n, edition=edition, **own))
        return objs

    def _some(self, most: int = 1) -> list[Any]:
        """Known objects of different pks."""
        size = self._chance.randint(1, most)
        known = {obj._id: obj for obj in self._known if obj._id is not None}
        return self._chance.sample([*known.values()], min(size, len(known)))

    def _size(self, least: int = 2) -> int:
        return self._chance.randint(least, self._chance.choice((5, 60)))

    def _change(self, edition: int, objs: list[Any], start: int = 0) -> None:
        """Change all fields of each."""
        for place, obj in enumerate(objs, start):
            obj.n = (obj.n + self._chance.randint(1, 6)) % 7
            obj.name, obj.edition = text(edition, place, obj.n), edition

    # -- writes --------------------------------------------------------------------------------

    def insert(self) -> None:
        number = next(self._numbers)
        objs = self._new(number, 1)
        self._do('insert', objs[0].save, objs, number)

    def insert_many(self) -> None:
        number = next(self._numbers)
        objs = self._new(number, self._size())
        self._do('insert_many', lambda: Item.saver.save(objs), objs, number)

    def cascade(self) -> None:
        number = next(self._numbers)
        objs = self._new(number, self._size())
        self._do('cascade', Box(name=str(number), items=objs).save, objs, number)

    def update(self) -> None:
        number, objs = next(self._numbers), self._some()
        self._change(number, objs)
        for obj in objs:
            self._do('update', obj.save, objs, number)

    def update_many(self) -> None:
        number, objs = next(self._numbers), self._some(30)
        self._change(number, objs)
        new = self._new(number, self._chance.choice((0, 0, 5)))
        for place, obj in enumerate(new, len(objs)):
            obj.name = text(number, place, obj.n)
        self._do('update_many', lambda: Item.saver.save([*objs, *new]), [*objs, *new], number)

    def put(self) -> None:
        """Write all of a row, whether it is there or not."""
        number = next(self._numbers)
        objs = self._new(number, 1, (obj._id for obj in self._some()))
        self._do('put', objs[0].save, objs, number)

    def delete(self) -> None:
        for obj in self._some():
            self._do('delete', obj.delete, gone=[obj._id])

    def delete_many(self) -> None:
        objs = self._some(30)
        pks = [obj._id for obj in objs]
        self._do('delete_many', lambda: Item.deleter.deleteMultiple(objs), gone=pks)

    def delete_pks(self) -> None:
        pks = [obj._id for obj in self._some(30)]
        self._do('delete_pks', lambda: Item.deleter.deleteMultipleByPks(pks), gone=pks)

    def delete_matching(self) -> None:
        n = self._chance.randrange(7)
        query = Item.objects.filter(n=n)
        self._do('delete_matching', query.delete, wipes=n, whole=False)

    def reset(self) -> None:
        number = next(self._numbers)
        pks = [obj._id for obj in self._some(30)] if self._chance.random() < 0.3 else []
        objs = self._new(number, self._size(0), pks)
        self._do('reset', lambda: Item.reset(iter(objs)), objs, number, wipes='all')

    def reset_many(self) -> None:
        number = next(self._numbers)
        objs = self._new(number, self._size())
        groups = [(Box, [Box(name=str(number), items=objs)]), (Item, objs)]
        self._do('reset_many', lambda: IR.resetMany(groups), objs, number, wipes='all')

    def reset_changed(self) -> None:
        number = next(self._numbers)
        pks = [obj._id for obj in self._some(30)]
        objs = self._new(number, len(pks), pks)
        keys = {Item: '_id'}
        self._do(
            *('reset_changed', lambda: IR.resetChanged([(Item, objs)], keys), objs, number),
            wipes='all',
        )

    def destroy(self) -> None:
        self._do('destroy', Item.deleter.destroyModel, wipes='all')

    def reindex(self) -> None:
        self._do('reindex', Item.objects.reindex)

    def repair(self) -> None:
        self._do('repair', Item.objects.repair)

    # -- reads ---------------------------------------------------------------------------------

    def all(self) -> None:
        self._read('all', Item.objects.all, every=True)

    def matching(self) -> None:
        n = self._chance.randrange(7)
        self._read(f'n = {n}', Item.objects.filter(n=n).all)

    def one(self) -> None:
        query = Item.objects.filter(n__ne=self._chance.randrange(7))
        way = self._chance.choice((query.first, query.last, query.random))
        self._read(way.__name__, lambda: [way()])

    def get(self) -> None:
        for obj in self._some():
            self._read('get', lambda pk=obj._id: [Item.objects.get(pk)], [obj._id])

    def get_many(self) -> None:
        pks = [obj._id for obj in self._some(20)]
        self._read('getMultiple', lambda: Item.objects.getMultiple(pks), pks)

    def count(self) -> None:
        n = self._chance.randrange(7)
        query = self._chance.choice((Item.objects, Item.objects.filter(n=n)))
        with suppress(*UNKNOWN):
            assert query.count() >= 0

    def linked(self) -> None:
        """Follow the links of a box."""

        def read() -> Any:
            box = Box.objects.random(cascadeFetch=True)
            return box.items if box else []

        self._read('links', read)


# How often each comes.
WAYS = {
    **{'insert': 6, 'insert_many': 6, 'cascade': 3, 'update': 8, 'update_many': 6, 'put': 4},
    **{'delete': 4, 'delete_many': 3, 'delete_pks': 3, 'delete_matching': 3},
    **{'reset': 2, 'reset_many': 1, 'reset_changed': 2, 'destroy': 0.7},
    **{'reindex': 1, 'repair': 0.5},
    **{'all': 8, 'matching': 4, 'one': 3, 'get': 8, 'get_many': 4, 'count': 2, 'linked': 3},
}
