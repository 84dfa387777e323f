"""Jobs that want the same unique values, and their model. Run by ``jobs.py``."""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import Any

import redis

import IndexedRedis as IR
from IndexedRedis import IndexedRedisModel, IRField
from IndexedRedis._core.bulk import insert as bulk_insert
from IndexedRedis._core.bulk import redo
from IndexedRedis._core.writes import sizes
from IndexedRedis.errors import ConflictError, ObjectGoneError, ResetInProgressError, UniqueError

EMAILS = [f'e{n}' for n in range(12)]


class Person(IndexedRedisModel):
    """Two ways to be unique."""

    FIELDS = [
        *(IRField('email'), IRField('shop')),
        *(IRField('sku', valueType=int), IRField('n', valueType=int)),
    ]
    INDEXED_FIELDS = ['n']
    UNIQUE_FIELDS = ['email', ('shop', 'sku')]
    KEY_NAME = 'Person'


def person() -> Any:
    """A new object that most likely shares a value with another one."""
    email, sku = random.choice([*EMAILS, None]), random.choice([0, 1, 2, None])
    return Person(email=email, shop=random.choice('st'), sku=sku, n=random.randrange(5))


def _change(obj: Any) -> Any:
    for name in random.sample(['email', 'shop', 'sku', 'n'], random.randrange(1, 4)):
        setattr(obj, name, getattr(person(), name))
    return obj


def _some(count: int = 3) -> list[Any]:
    objs = Person.objects.all()
    return random.sample(objs, min(count, len(objs)))


WAYS: dict[str, Any] = {
    'insert': lambda: person().save(),
    'insert_many': lambda: Person.saver.save([person() for _ in range(2)]),
    'update': lambda: [_change(obj).save() for obj in _some(1)],
    'update_many': lambda: Person.saver.save([_change(obj) for obj in _some()]),
    'update_and_insert': lambda: Person.saver.save([*map(_change, _some(2)), person()]),
    'put': lambda: Person.saver.save(person(), forceID=random.randrange(1, 90)),
    'filtered': lambda: Person.objects.filter(n=random.randrange(5)).update(
        shop=random.choice('st')
    ),
    'delete': lambda: [obj.delete() for obj in _some(2)],
    'get_or_create': lambda: Person.objects.getOrCreate(email=random.choice(EMAILS)),
    'reset': lambda: Person.reset([*_some(2), person(), person()]),
    'reset_changed': lambda: IR.resetChanged(
        {Person: [Person(email=email, shop='s', sku=random.randrange(9)) for email in EMAILS[:3]]},
        {Person: 'email'},
    ),
}


def want_the_same(model: Any, seconds: float, ways: list[str], steps: bool = False) -> Any:
    """Write in random ways until the time is over; count what was done and what was refused."""
    counts: Counter[str] = Counter()
    if steps:
        in_steps()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        way = random.choice(ways)
        try:
            WAYS[way]()
            counts[way] += 1
        except UniqueError:
            counts['refused'] += 1
        except ObjectGoneError:
            counts['gone'] += 1
        except (ResetInProgressError, ConflictError):
            counts['busy'] += 1
    return counts


def in_steps() -> None:
    """Have lists of two and more go the ways of long ones."""
    sizes.SCRIPT_US, sizes.STEP_US = 30, 1
    redo.PUBLISHED_AT_ONCE = bulk_insert.PUBLISHED_AT_ONCE = 2
    bulk_insert.CHUNK = bulk_insert.LISTED = 2


def _meet(client: redis.Redis, name: str, of: int) -> None:
    """Wait until so many workers are here."""
    if client.incr(f'{name}: here') == of:
        client.rpush(name, *range(of))
    assert client.blpop([name], 30)
    client.expire(f'{name}: here', 60)


def get_or_create_each(model: Any, count: int, of: int) -> Any:
    """Get or create an object of each email, in step with the other workers."""
    created = 0
    with redis.Redis(**model.REDIS_CONNECTION_PARAMS, socket_timeout=60) as client:
        for number in range(count):
            _meet(client, f'meeting {number}', of)
            obj, is_new = Person.objects.getOrCreate(email=f'{number}')
            assert obj.email == f'{number}'
            created += is_new
    return created


def save_each(model: Any, count: int, of: int) -> Any:
    """As ``get_or_create_each``, by saving; returns how many were saved."""
    saved = 0
    with redis.Redis(**model.REDIS_CONNECTION_PARAMS, socket_timeout=60) as client:
        for number in range(count):
            _meet(client, f'saving {number}', of)
            try:
                Person(email=f'{number}').save()
                saved += 1
            except UniqueError:
                pass
    return saved


def swap_values(model: Any) -> Any:
    """Have four objects take the email of the next one, in steps."""
    in_steps()
    objs = Person.objects.all()[:4]
    emails = [obj.email for obj in objs]
    for obj, email in zip(objs, [*emails[1:], emails[0]], strict=True):
        obj.email, obj.shop = email, 't'
    return Person.saver.save(objs)


def insert_values(model: Any) -> Any:
    """Insert four objects in steps."""
    in_steps()
    return Person.saver.save([Person(email=f'x{n}', shop='x', sku=n) for n in range(4)])


def reset_values(model: Any) -> Any:
    """Replace all objects."""
    return Person.reset([Person(email=f'x{n}', shop='x', sku=n) for n in range(4)])
