"""List what is timed of operations on rows.

Sizes come from the data: of each size the nearest there is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..running.work import Work
from ..sizes import Sizes
from .dataset import Dataset

FEW = 20  # rows of a small result


def operations(data: Dataset, sizes: Sizes) -> list[Work]:
    """Return all operations, in the order of the table."""
    return [
        _get(sizes),
        *(work for size in sizes.reads for work in _reads(data, sizes, size)),
        *_counts(data, sizes),
        *_picks(data, sizes),
        *_writes(sizes),
        *_resets(sizes),
        _memory(data, sizes),
        Work('import', how='imported', rounds=sizes.rounds),
    ]


def of_an_object(data: Dataset, sizes: Sizes) -> list[Work]:
    """Return reads of more and more objects, timed by the object."""
    reads = [work for work in operations(data, sizes) if work.every_field and work.objects > FEW]
    return [
        replace(
            work, name=f'an object, of {work.objects:,}', per=work.per * work.objects, unit='us',
            rounds=sizes.slow,
        )
        for work in [*reads, _read(data, sizes, None, sizes.rows, True)]
    ]  # fmt: skip


def among_others(data: Dataset, sizes: Sizes, others: int) -> list[Work]:
    """Return small reads, each followed by the same in a database with so many other keys."""
    small = [work for work in operations(data, sizes) if work.every_field and work.objects <= FEW]
    pairs = []
    for work in small:
        name = f'{work.name}, among {others:,} other keys'
        pairs += [work, replace(work, name=name, args={**work.args, 'place': 'scratch'})]
    return pairs


def _get(sizes: Sizes) -> Work:
    pks = list(range(1, sizes.rows, max(1, sizes.rows // 200)))
    return Work('get(pk)', 'get', {'pks': pks}, per=len(pks), rounds=sizes.rounds, needs='get',
                objects=1, every_field=True)  # fmt: skip


def _reads(data: Dataset, sizes: Sizes, size: int) -> list[Work]:
    filters, hits = data.query(size)
    return [_read(data, sizes, filters, hits, every) for every in (False, True)]


def _read(data: Dataset, sizes: Sizes, filters: Any, hits: int, every: bool) -> Work:
    times = max(1, min(50, 1_000 // hits))
    names = list(data.kinds) if every else data.three
    return Work(
        f'{"filter()." if filters else "objects."}all(), {hits:,} row{"s" * (hits > 1)}, '
        f'{"every field" if every else "three fields"} read',
        'select', {'filters': filters, 'names': names, 'times': times}, per=times,
        rounds=sizes.rounds if hits <= 10_000 else sizes.slow,
        slow_rounds=sizes.slow if hits > 1_000 else sizes.rounds,
        needs='select' if filters else 'everything', objects=hits, every_field=every,
    )  # fmt: skip


def _counts(data: Dataset, sizes: Sizes) -> list[Work]:
    one, _ = data.query(sizes.picks, most_filters=1)
    several, _ = data.query(sizes.picks, fewest=2)
    ((name, value),) = one.items()
    return [
        Work(f'count() of {what}', 'count', {'filters': filters, 'times': 100}, per=100,
             rounds=sizes.rounds, needs=needs)
        for what, filters, needs in (
            ('one filter', one, 'count'),
            (f'{len(several)} filters', several, 'count'),
            ('a lone __ne', {f'{name}__ne': value}, 'count_unequal'),
        )
    ]  # fmt: skip


def _picks(data: Dataset, sizes: Sizes) -> list[Work]:
    filters, hits = data.query(sizes.picks, fewest=2)
    return [
        Work(f'{how}() among {hits:,}', 'pick', {'how': how, 'filters': filters, 'times': 20},
             per=20, rounds=sizes.rounds, needs=how)
        for how in ('first', 'last', 'random')
    ]  # fmt: skip


def _writes(sizes: Sizes) -> list[Work]:
    some = min(200, sizes.bulk)
    delete = {'size': sizes.delete, 'beside': sizes.bulk // 10}
    single: dict[str, Any] = {'args': {'times': some}, 'per': some, 'rounds': sizes.rounds}
    bulk: dict[str, Any] = {'rounds': sizes.rounds, 'slow_rounds': sizes.slow}
    return [
        Work('save() of a new object', 'create', **single, needs='create'),
        Work('save() of one changed indexed field', 'update', **single, needs='update'),
        Work(f'bulk save of {sizes.bulk:,}', 'save_all', {'size': sizes.bulk}, **bulk,
             needs='save_all'),
        Work(f'filter().delete() of {sizes.delete:,}', 'delete', delete, **bulk, needs='delete'),
    ]  # fmt: skip


def _resets(sizes: Sizes) -> list[Work]:
    """Return a reset with the machine to itself, and one beside a reader.

    The reader runs on the core of the subject and takes time from it, so the total is that of the
    first. 6.0.3 takes part in one round of each, since it needs most of a minute for 100,000 rows.
    """
    args = {'size': sizes.reset, 'settle': sizes.settle}
    alone = Work(f'reset of {sizes.reset:,}', 'replace_all', args, rounds=sizes.slow,
                 slow_rounds=1, warm_up=0, needs='replace_all')  # fmt: skip
    return [alone, replace(alone, how='beside')]


def _memory(data: Dataset, sizes: Sizes) -> Work:
    filters, hits = data.query(max(sizes.reads))
    return Work(f'memory of an object, {hits:,} kept, every field read', how='memory',
                args={'filters': filters}, unit='bytes', rounds=2, warm_up=0)  # fmt: skip
