"""What is measured, and the aims: ratios of medians in one run.

The rule: a work says everything of itself, sizes included, so that nothing but this file changes
when another is to be measured. Sizes come from the data: of each size the nearest there is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .dataset import Dataset
from .results import BY_HAND, OLD

__all__ = ('SIZES', 'Sizes', 'Work', 'everything', 'reset', 'works')


@dataclass(frozen=True)
class Sizes:
    """How much is done, and how often.

    :param rows: that the database holds
    :param reads: results of about so many rows
    :param picks: matches among which one object is picked
    :param bulk: rows of a bulk save
    :param delete: objects that go
    :param reset: rows of a reset
    :param rounds: repetitions, after one that warms up
    :param slow: repetitions of what takes seconds
    :param settle: between resets, wait until Redis has removed what expires
    """

    rows: int
    reads: tuple[int, ...]
    picks: int
    bulk: int
    delete: int
    reset: int
    rounds: int
    slow: int
    settle: bool = True


SIZES = {
    'full': Sizes(100_000, (1, 10, 100, 1_000, 10_000), 5_000, 10_000, 5_000, 100_000, 15, 5),
    'quick': Sizes(20_000, (1, 10, 100, 1_000), 2_000, 2_000, 1_000, 10_000, 5, 2),
    'tiny': Sizes(300, (1, 10, 100), 50, 50, 20, 100, 1, 1, settle=False),
}


@dataclass(frozen=True)
class Work:
    """Some work.

    :param name: as the table shows it
    :param task: the function of :mod:`benchmarks.tasks`
    :param args: its arguments
    :param per: of how many operations (or objects) a run consists; shown is the time of one
    :param aims: see :class:`benchmarks.results.Result`
    :param rounds: repetitions; of ``seldom`` only if a subject is slow, which are all but
        us and by hand
    :param needs: the method that a subject must have
    :param objects: that are fetched at a time, and whether every field is read
    """

    name: str
    task: str
    args: dict[str, Any]
    per: int
    aims: dict[str, float]
    rounds: int
    needs: str
    seldom: int = 1_000
    objects: int = 0
    every_field: bool = False


def works(data: Dataset, sizes: Sizes) -> list[Work]:
    """All of them, in the order of the table."""
    return [
        _get(sizes),
        *(work for size in sizes.reads for work in _reads(data, sizes, size)),
        *_counts(data, sizes),
        *_picks(data, sizes),
        *_writes(sizes),
    ]


def aims(old: float | None = None, by_hand: float | None = None) -> dict[str, float]:
    """Aims against the two subjects that have any."""
    known = {OLD: old, BY_HAND: by_hand}
    return {name: aim for name, aim in known.items() if aim is not None}


def _get(sizes: Sizes) -> Work:
    pks = list(range(1, sizes.rows, max(1, sizes.rows // 200)))
    return Work('get(pk)', 'get', {'pks': pks}, len(pks), aims(4, 1 / 1.3), sizes.rounds, 'get',
                objects=1, every_field=True)  # fmt: skip


def _reads(data: Dataset, sizes: Sizes, size: int) -> list[Work]:
    filters, found = data.query(size)
    return [
        _read(data, sizes, filters, found, every, aims(4, 1) if size < 100 else many)
        for every, many in ((False, aims(12, 1.5)), (True, aims(6, 1)))
    ]


def everything(data: Dataset, sizes: Sizes) -> Work:
    """All objects there are, for how the time of one grows."""
    return _read(data, sizes, None, sizes.rows, True, {})


def _read(
    data: Dataset, sizes: Sizes, filters: Any, found: int, every: bool, wanted: dict[str, float]
) -> Work:
    times = max(1, min(50, 1_000 // found))
    names = list(data.kinds) if every else data.three
    return Work(
        f'{"filter()." if filters else "objects."}all(), {found:,} row{"s" * (found > 1)}, '
        f'{"every field" if every else "three fields"} read',
        'select',
        {'filters': filters, 'names': names, 'times': times},
        times,
        wanted,
        sizes.rounds if found <= 10_000 else sizes.slow,
        'select' if filters else 'everything',
        objects=found,
        every_field=every,
        seldom=sizes.slow if found > 1_000 else sizes.rounds,
    )


def _counts(data: Dataset, sizes: Sizes) -> list[Work]:
    one = data.query(sizes.picks, most_filters=1)[0]
    several = data.query(sizes.picks, fewest=2)[0]
    ((name, value), *_) = one.items()
    return [
        Work(
            f'count() of {what}', 'count', {'filters': filters, 'times': 100}, 100,
            aims(old, 1 / 1.2), sizes.rounds, needs,
        )
        for what, filters, old, needs in (
            ('one filter', one, 1, 'count'),
            (f'{len(several)} filters', several, 4, 'count'),
            ('a lone __ne', {f'{name}__ne': value}, 100, 'count_unequal'),
        )
    ]  # fmt: skip


def _picks(data: Dataset, sizes: Sizes) -> list[Work]:
    filters, found = data.query(sizes.picks, fewest=2)
    return [
        Work(
            f'{how}() among {found:,}', 'pick', {'how': how, 'filters': filters, 'times': 20}, 20,
            aims(20), sizes.rounds, how,
        )
        for how in ('first', 'last', 'random')
    ]  # fmt: skip


def _writes(sizes: Sizes) -> list[Work]:
    some = min(200, sizes.bulk)
    once = {'times': some}
    delete = {'size': sizes.delete, 'beside': sizes.bulk // 10}
    return [
        Work('save() of a new object', 'create', once, some, aims(3, 1), sizes.rounds, 'create'),
        Work('save() of one changed indexed field', 'update', once, some, aims(3, 1 / 1.2),
             sizes.rounds, 'update'),
        Work(f'bulk save of {sizes.bulk:,}', 'save_all', {'size': sizes.bulk}, 1, aims(10, 1),
             sizes.rounds, 'save_all', sizes.slow),
        Work(f'filter().delete() of {sizes.delete:,}', 'delete', delete, 1, aims(15),
             sizes.rounds, 'delete', sizes.slow),
    ]  # fmt: skip


def reset(sizes: Sizes) -> Work:
    """A reset; measured beside a reader, see :mod:`benchmarks.reset`."""
    return Work(f'reset of {sizes.reset:,}', 'replace_all', {'size': sizes.reset}, 1, aims(15, 1),
                sizes.slow, 'replace_all', seldom=1)  # fmt: skip
