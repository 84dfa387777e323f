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

from faults.item import edition, over
from IndexedRedis.errors import ObjectGoneError


def insert_many(model: Any, size: int) -> Any:
    """Save several objects at once."""
    return model.saver.save(edition(model, 2, size))


def reset(model: Any, size: int, pks: Any = None) -> Any:
    """Replace the data set."""
    return model.reset(edition(model, 2, size, pks))


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


def read(model: Any, size: int, seconds: float) -> Any:
    """Read in all ways while resets go on; each answer must be of one edition, and whole."""
    counts: Counter[str] = Counter()
    for way in _for(seconds, ('all', 'filter', 'filter_ne', 'count', 'first', 'last', 'random')):
        counts['reads'] += 1
        wrong = _wrong(model, size, way)
        if wrong:
            counts[f'{way}: {wrong}'] += 1
    return counts


def _wrong(model: Any, size: int, way: str) -> str:
    every = model.objects.filter(n__ne=99)
    if way == 'count':
        count = every.count()
        return '' if count == size else f'{count} objects'
    if way in ('first', 'last', 'random'):
        obj = getattr(every, way)()
        return '' if obj is not None and obj.name == f'e{obj.edition}' else f'{obj!r}'
    query = {'all': model.objects, 'filter': model.objects.filter(n=3), 'filter_ne': every}[way]
    found = query.all()
    expected = len(range(3, size, 7)) if way == 'filter' else size
    if any(obj is None or obj.name != f'e{obj.edition}' for obj in found):
        return 'an object that is not whole'
    if len({obj.edition for obj in found}) != 1:
        return f'{len({obj.edition for obj in found})} editions'
    return '' if len(found) == expected else f'{len(found)} objects'


def reset_often(model: Any, size: int, seconds: float, keep: bool = False) -> Any:
    """Replace the data set again and again; with `keep`, objects have the same pks each time."""
    counts: Counter[str] = Counter()
    pks = list(range(1, size + 1)) if keep else None
    for _ in _for(seconds, [None]):
        counts['resets'] += 1
        model.reset(edition(model, counts['resets'], size, pks))
    return counts


def _for(seconds: float, choices: Any) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield random.choice(choices)


def _say(what: Any) -> None:
    os.write(1, json.dumps(what).encode() + b'\n')


def main() -> None:
    """Do the jobs that come on the standard input, each in a child."""
    model = over(json.loads(sys.argv[1]))
    model.validateModel()
    for line in sys.stdin:
        job, args = json.loads(line)
        source, sink = os.pipe()
        child = os.fork()
        if child == 0:
            outcome: dict[str, Any] = {'result': None, 'error': None, 'killed': False}
            try:
                outcome['result'] = globals()[job](model, **args)
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
