"""What workers do. The rule: a job counts what it did, and calls nothing but the public API.

Run as a program, this is the other end of ``workers.py``.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
import traceback
from collections import Counter
from typing import Any

import redis

import IndexedRedis
from faults import lives, old_version
from faults.item import Box, Item, edition, over, reset_family
from faults.writers import ordered_jobs, single_jobs, unique_jobs
from IndexedRedis import Q
from IndexedRedis._core.queries import set_algebra
from IndexedRedis._core.resets import index_fill
from IndexedRedis.errors import ObjectGoneError


def update(model: Any, pks: list[int], seconds: float) -> Any:
    """Change the indexed field of random objects, often through an object fetched long ago."""
    counts: Counter[str] = Counter()
    known: dict[int, Any] = {}
    for pk in _for(seconds, pks):
        obj = known[pk] = known.get(pk) or model.objects.get(pk)
        if obj is None:
            counts['absent'] += 1
            continue
        obj.n = random.randrange(1_000_000)
        try:
            obj.save()
            counts['saved'] += 1
        except ObjectGoneError:
            del known[pk]
            counts['gone'] += 1
    return counts


def delete(model: Any, pks: list[int], seconds: float) -> Any:
    """Delete random objects, in all ways there are, and store others in their place."""
    counts: Counter[str] = Counter()
    for pk in _for(seconds, pks):
        way = random.randrange(4)
        if way == 0:
            counts['deleted'] += model.deleter.deleteByPk(pk)
        elif way == 1:
            obj = model.objects.get(pk)
            counts['deleted'] += obj.delete() if obj else 0
        elif way == 2:
            counts['deleted'] += model.objects.filter(n=random.randrange(7)).delete()
        else:
            model(_id=pk, name='again', n=random.randrange(7), edition=1).save()
            counts['stored'] += 1
    return counts


def all_at_each(model: Any, way: str, count: int, of: int) -> Any:
    """Save or delete every object through a handle fetched before anybody wrote, in step with the
    other workers: they meet at each object."""
    counts: Counter[str] = Counter()
    handles = [model.objects.get(pk) for pk in range(1, count + 1)]
    with redis.Redis(**model.REDIS_CONNECTION_PARAMS, socket_timeout=60) as client:
        for obj in handles:
            _meet(client, f'meeting {obj._id}', of)
            try:
                counts[way] += _delete_soon(obj) if way == 'deleted' else _save_twice(obj)
            except ObjectGoneError:
                counts['gone'] += 1
    return counts


def _meet(client: redis.Redis, name: str, of: int) -> None:
    """Wait until that many are here."""
    if client.incr(f'{name}: here') == of:
        client.rpush(name, *range(of))
    assert client.blpop([name], 30)
    client.expire(f'{name}: here', 60)


def _delete_soon(obj: Any) -> int:
    time.sleep(random.choice((0, 0.0005, 0.001, 0.002)))
    return int(obj.delete())


def _save_twice(obj: Any) -> int:
    for _ in range(2):
        obj.n = random.randrange(1_000_000)
        obj.save()
    return 2


def write_any(model: Any, seconds: float) -> Any:
    """Insert, update and delete whatever is there, while resets replace it."""
    counts: Counter[str] = Counter()
    ways = ('insert', 'insert', 'insert_many', 'update', 'update', 'delete', 'filtered')
    for way in _for(seconds, ways):
        try:
            _write_one(model, way)
            counts[way] += 1
        except ObjectGoneError:
            counts['gone'] += 1
    return counts


def _write_one(model: Any, way: str) -> None:
    n = random.randrange(1_000_000)
    if way == 'insert':
        model(name='new', n=n, edition=0).save()
    elif way == 'insert_many':
        model.saver.save([model(name='new', n=n + i, edition=0) for i in range(5)])
    elif way == 'filtered':
        model.objects.filter(edition=0).delete()
    elif (obj := model.objects.random()) is not None:
        if way == 'update':
            obj.n = n
            obj.save()
        else:
            obj.delete()


WAYS = ('all', 'filter', 'filter_ne', 'first', 'last', 'random')
COUNTS = ('count', 'count_some', 'count_others', 'count_both')
# Ways to ask for all objects by trees: terms that overlap, terms of single values, and one that the
# client evaluates; they differ in how many commands read the pks.
TREES = {
    'or': Q(n__ne=3) | Q(n__ne=4),
    'in': Q(n__in=range(7)),
    'in_many': Q(n__in=range(110)),
    'or_not': Q(n__in=[1, 2]) | ~Q(n__in=[1, 2, 99]),
}
TREE_WAYS = (*TREES, 'count_or', 'first_in')


def read(model: Any, size: int, seconds: float, large: int = 0, remembered: int = 0) -> Any:
    """Read in all ways while resets go on; each answer must be of one edition, and whole.

    ``remembered``: how many answers are.
    """
    _treat_as_large(large)
    model.CLIENT_SIDE_CACHE = remembered
    counts: Counter[str] = Counter()
    for way in _for(seconds, (*WAYS, *COUNTS, *TREE_WAYS)):
        counts['reads'] += 1
        judge = wrong_answer_to_a_tree if way in TREE_WAYS else wrong_answer
        wrong = judge(model, size, way)
        if wrong:
            counts[f'{way}: {wrong}'] += 1
    return counts


def wrong_answer(model: Any, size: int, way: str) -> str:
    """Read in one way; what is wrong with it, if anything is."""
    every, some = model.objects.filter(n__ne=99), len(range(3, size, 7))
    if way in COUNTS:
        queries = every, model.objects.filter(n=3), model.objects.filter(n__ne=3)
        query = [*queries, model.objects.filter(n=3, edition__ne=0)][COUNTS.index(way)]
        count, expected = query.count(), [size, some, size - some, some][COUNTS.index(way)]
        return '' if count == expected else f'{count} objects'
    if way in ('first', 'last', 'random'):
        obj = getattr(every, way)()
        return '' if obj is not None and obj.name == f'e{obj.edition}' else f'{obj!r}'
    query = {'all': model.objects, 'filter': model.objects.filter(n=3), 'filter_ne': every}[way]
    found = query.all()
    expected = some if way == 'filter' else size
    if any(obj is None or obj.name != f'e{obj.edition}' for obj in found):
        return 'an object that is not whole'
    if way == 'filter' and any(obj.n != 3 for obj in found):
        return 'an object that does not match'
    if len({obj.edition for obj in found}) != 1:
        return f'{len({obj.edition for obj in found})} editions'
    return '' if len(found) == expected else f'{len(found)} objects'


def read_sorted(model: Any, seconds: float) -> Any:
    """Read sorted sets with raw commands while resets go on: each lists what ``:keys`` lists, with
    scores of one edition."""
    counts: Counter[str] = Counter()
    with redis.Redis(**model.REDIS_CONNECTION_PARAMS) as client:
        for name in _for(seconds, model.SORTED_FIELDS):
            pipe = client.pipeline()
            pipe.smembers('_ir_|Item:keys')
            pipe.zrange(f'_ir_|Item:keys:sorted:{name}', 0, -1, withscores=True)
            pks, members = pipe.execute()
            counts['reads'] += 1
            counts['other pks'] += {pk for pk, _ in members} != pks
            if name == 'edition':
                counts['several editions'] += len({score for _, score in members}) > 1
    return +counts


def wrong_answer_to_a_tree(model: Any, size: int, way: str) -> str:
    """As :func:`wrong_answer`, for a query of all objects whose pks several sets give."""
    kind, _, tree = way.partition('_') if way not in TREES else ('all', '', way)
    query = model.objects.filter(TREES[tree])
    if kind == 'count':
        count = query.count()
        return '' if count == size else f'{count} objects'
    found = query.all() if kind == 'all' else [getattr(query, kind)()]
    if any(obj is None or obj.name != f'e{obj.edition}' for obj in found):
        return 'an object that is not whole'
    if len({obj.edition for obj in found}) != 1:
        return f'{len({obj.edition for obj in found})} editions'
    return '' if len(found) == size or kind != 'all' else f'{len(found)} objects'


def _treat_as_large(above: int) -> None:
    """Have resets move index sets of more members in their swap, and counts take their sizes."""
    if above:
        index_fill.MOST = set_algebra.UNSETTLED_MEMBERS = above


def reset_often(
    model: Any,
    size: int,
    seconds: float,
    keep: bool = False,
    rate: float = 0,
    large: int = 0,
    ahead: bool = False,
) -> Any:
    """Replace the data set again and again; with `keep`, objects have the same pks each time, with
    `ahead` pks that they bring along and that nobody has had.

    :param rate: how many times a second, if the machine can
    """
    _treat_as_large(large)
    counts: Counter[str] = Counter()
    pks = list(range(1, size + 1)) if keep else None
    began = time.monotonic()
    for _ in _for(seconds, [None]):
        counts['resets'] += 1
        first = 1_000_000 + counts['resets'] * size
        brought = list(range(first, first + size)) if ahead else pks
        model.reset(edition(model, counts['resets'], size, brought))
        if rate:
            time.sleep(max(0, began + counts['resets'] / rate - time.monotonic()))
    counts['milliseconds'] = round((time.monotonic() - began) * 1000)
    return counts


def read_families(_: Any, size: int, seconds: float) -> Any:
    """Read the box and follow its links, while resets of both go on: each leads to an item of the
    same edition, or to none where a reset came in between."""
    counts: Counter[str] = Counter()
    for number in _for(seconds, range(1, size + 1)):
        (only,) = Box.objects.all(cascadeFetch=True) if number % 2 else Box.objects.all()
        counts['reads'] += 1
        for obj in only.items[:number]:
            if obj is None:
                counts['replaced meanwhile'] += 1
            else:
                counts['links right' if obj.name == only.name else 'links wrong'] += 1
    return counts


def reset_families(_: Any, size: int, first: int, items_first: bool, seconds: float) -> Any:
    """Replace both again and again, naming the models in this order."""
    counts: Counter[str] = Counter()
    for _ in _for(seconds, [None]):
        counts['resets'] += 1
        reset_family(first + counts['resets'], size, items_first)
    return counts


def check_often(model: Any, seconds: float) -> Any:
    """Check again and again; whatever is found is counted by its kind."""
    counts: Counter[str] = Counter()
    for _ in _for(seconds, [None]):
        report = model.objects.check()
        counts['checks'] += 1
        counts['objects'] += report.objects
        counts.update({f'found {kind}': n for kind, n in report.counts.items()})
    return counts


def repair_often(model: Any, seconds: float) -> Any:
    """Repair again and again; what was found, and what of it is not repaired, is counted."""
    counts: Counter[str] = Counter()
    for _ in _for(seconds, [None]):
        report = model.objects.repair()
        counts['repairs'] += 1
        counts['objects'] += report.objects
        counts.update({f'found {kind}': n for kind, n in report.counts.items()})
        counts.update({f'left {k}': n for k, n in (report.counts - report.repaired).items()})
    return counts


def damage(model: Any, seconds: float) -> Any:
    """Take rows out of indexes, and list them where they do not belong, with raw commands."""
    counts: Counter[str] = Counter()
    with redis.Redis(**model.REDIS_CONNECTION_PARAMS) as client:
        for way in _for(seconds, ('stale', 'gone', 'missing')):
            pk = client.srandmember('_ir_|Item:keys')
            if way == 'stale' and pk:
                client.sadd('_ir_|Item:idx:n:-1', pk)
            elif way == 'gone':
                client.sadd(f'_ir_|Item:idx:n:{random.randrange(7)}', 2**52)
            elif way == 'missing' and pk:
                client.srem(f'_ir_|Item:idx:n:{random.randrange(7)}', pk)
            counts['damaged'] += 1
    return counts


def _for(seconds: float, choices: Any) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield random.choice(choices)


def _say(what: Any) -> None:
    os.write(1, json.dumps(what).encode() + b'\n')


def main() -> None:
    """Do the jobs that come on the standard input, each in a child."""
    Item.validateModel()
    rooms = lives, old_version, ordered_jobs, single_jobs, unique_jobs
    jobs = {name: job for room in rooms for name, job in vars(room).items()} | globals()
    for line in sys.stdin:
        params, job, args, ordered = json.loads(line)
        source, sink = os.pipe()
        child = os.fork()
        if child == 0:
            outcome: dict[str, Any] = {'result': None, 'error': None, 'killed': False}
            try:
                IndexedRedis.setDefaultRedisConnectionParams(params)
                Item.SORTED_FIELDS = ordered
                outcome['result'] = jobs[job](over(params), **args)
            except BaseException:
                outcome['error'] = traceback.format_exc()
            with open(sink, 'w') as pipe:
                json.dump(outcome, pipe)
            os._exit(0)
        os.close(sink)
        _say(child)
        with open(source) as pipe:
            text = pipe.read()
        os.waitpid(child, 0)
        _say(json.loads(text) if text else {'killed': True})


if __name__ == '__main__':
    main()
