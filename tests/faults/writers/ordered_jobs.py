"""Workers that read in order. The rule: each answer is in order, has no object twice, and is of one
data set; pages behind cursors lose no object that stays where it is."""

from __future__ import annotations

import random
import time
from collections import Counter
from contextlib import suppress
from typing import Any

from IndexedRedis import ConflictError, ObjectGoneError
from IndexedRedis._core.queries.ordering import plan

ORDERS = ('n', '-n')
WAYS = ('all', 'part', 'page', 'values', 'filter', 'range', 'pages')


def read_in_order(
    model: Any, seconds: float, size: int = 0, steps: bool = False, stays: bool = False
) -> Any:
    """Read in all ways, while others write or replace the data set.

    :param size: how many objects each data set has; 0: others write, so their number changes
    :param steps: go the ways of large results: several steps, and rows that follow their pks
    :param stays: whether each data set has the same pks and numbers, so that pages lose none
    """
    if steps:
        plan.SMALL_SET, plan.WALK_US, plan.ROW_VALUES = -1, 120, 30
    counts: Counter[str] = Counter()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        way, order = random.choice(WAYS), random.choice(ORDERS)
        try:
            wrong = _wrong_answer(model, way, order, size, stays)
        except ConflictError:  # resets come faster than the steps of a read
            counts['conflicts'] += 1
            continue
        counts['reads'] += 1
        if wrong:
            counts[f'{way} by {order}: {wrong}'] += 1
    return counts


def _wrong_answer(model: Any, way: str, order: str, size: int, stays: bool) -> str:
    query = model.objects.orderBy(order)
    if way == 'pages':
        return _wrong_pages(query, order, size, stays)
    least, expected = 0, size
    if way == 'part':
        found, expected = query[5:25].all(), 20
    elif way == 'page':
        page = query.page(2, size=15)
        found, expected = page.objects, 15
        if size and page.total != size:
            return f'a total of {page.total}'
    elif way == 'values':
        rows = query.values('pk', 'n', 'edition')
        return _wrong_rows([(row['n'], row['pk'], row['edition']) for row in rows], order, size)
    elif way == 'filter':
        found = model.objects.filter(n=3).orderBy('-edition', order).all()
        expected = len(range(3, size, 7))
        if any(obj.n != 3 for obj in found):
            return 'an object that does not match'
    elif way == 'range':
        found, expected = model.objects.filter(n__between=(2, 4)).orderBy(order).all(), 0
        least = sum(i % 7 in (2, 3, 4) for i in range(size))
        if any(not 2 <= obj.n <= 4 for obj in found):
            return 'an object out of range'
    else:
        found = query.all()
    if size and any(obj.name != f'e{obj.edition}' for obj in found):
        return 'an object that is not whole'
    rows = [(obj.n, obj._id, obj.edition) for obj in found]
    return _wrong_rows(rows, order, size and (expected or least), way != 'filter')


def _wrong_rows(
    rows: list[tuple[int, int, int]], order: str, size: int, ordered: bool = True
) -> str:
    """Say what is wrong with rows of number, pk and edition."""
    if len({pk for _, pk, _ in rows}) != len(rows):
        return 'an object twice'
    places = [(n, str(pk)) for n, pk, _ in rows]
    if ordered and places != sorted(places, reverse=order == '-n'):
        return 'out of order'
    if size and len({edition for _, _, edition in rows}) != 1:
        return 'several editions'
    return f'{len(rows)} objects' if size and len(rows) != size else ''


def _wrong_pages(query: Any, order: str, size: int, stays: bool) -> str:
    """Read all pages, each of which is of one data set."""
    seen: list[tuple[int, int, int]] = []
    page = query.page(size=17)
    while True:
        rows = [(obj.n, obj._id, obj.edition) for obj in page]
        if len({edition for _, _, edition in rows}) > 1 and size:
            return 'several editions'
        seen += rows
        if page.next is None:
            break
        page = query.page(after=page.next, size=17)
    if not size or stays:  # else a reset gives other pks
        places = [(n, str(pk)) for n, pk, _ in seen]
        if places != sorted(places, reverse=order == '-n'):
            return 'out of order'
    if stays:
        return '' if len(seen) == len({pk for _, pk, _ in seen}) == size else f'{len(seen)} in all'
    return ''


def write_beside(model: Any, pks: list[int], seconds: float) -> Any:
    """Insert, change and delete objects of these pks; the others stay where they are."""
    counts: Counter[str] = Counter()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pk = random.choice(pks)
        obj = model.objects.get(pk)
        if obj is None:
            model(_id=pk, name='new', n=random.randrange(9), edition=0).save()
            counts['inserted'] += 1
        elif random.random() < 0.3:
            counts['deleted'] += obj.delete()
        else:
            obj.n = random.randrange(9)
            with suppress(ObjectGoneError):  # another writer deleted it meanwhile
                obj.save()
                counts['moved'] += 1
    return counts


def page_beside(model: Any, size: int, seconds: float, steps: bool = False) -> Any:
    """Read all pages while others move objects above ``size``; those up to it come once each."""
    if steps:
        plan.SMALL_SET, plan.WALK_US, plan.ROW_VALUES = -1, 120, 30
    counts: Counter[str] = Counter()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        order = random.choice(ORDERS)
        pks, page = [], model.objects.orderBy(order).page(size=17)
        while True:
            pks += [obj._id for obj in page]
            if page.next is None:
                break
            page = model.objects.orderBy(order).page(after=page.next, size=17)
        counts['reads'] += 1
        staying = [pk for pk in pks if pk <= size]
        counts['lost'] += size - len({*staying})
        counts['twice'] += len(staying) - len({*staying})
    return +counts
