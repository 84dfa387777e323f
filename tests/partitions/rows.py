"""Data sets over partitions, and the judge of an answer. The rule: a row says which data set it is
of, and each data set has a known number of rows, so an answer alone shows whether it is a mixture.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable
from typing import Any

from IndexedRedis import IndexedRedisModel, IRField
from partitions.played import Played

SIZE = 13
_names = itertools.count(1)


class Row(IndexedRedisModel):
    """A row of a data set; `edition` 0: it was saved by itself."""

    FIELDS = [IRField('edition', valueType=int), IRField('n', valueType=int), IRField('name')]
    INDEXED_FIELDS = ['edition', 'n']
    SORTED_FIELDS = ['n']
    KEY_NAME = '{proof}Row'
    PARTITIONS = 4


@functools.cache
def _made(number: int, partitions: int, acknowledged: int) -> Any:
    return type('Row', (Row,), {'PARTITIONS': partitions, 'ACKNOWLEDGED_BY': acknowledged})


def process(number: int = 0, partitions: int = Row.PARTITIONS) -> Any:
    """The model as a process knows it that has just started: it has learned of no edition.

    :param number: of the process; others go on knowing what they do
    """
    model = _made(number, partitions, Row.ACKNOWLEDGED_BY)
    model._validated().known = None
    return model


def data_set(model: Any, edition: int, size: int = SIZE) -> list[Any]:
    """Rows of one edition."""
    return [model(edition=edition, n=n, name=f'{edition}/{n}') for n in range(size)]


def extra(model: Any) -> Any:
    """A new object that is saved by itself, with a name of its own."""
    return model(edition=0, n=7, name=f'extra {next(_names)}')


def extras(model: Any) -> set[str]:
    """The names of the stored objects that were saved by themselves."""
    return {row.name for row in model.objects.filter(edition=0).all()}


def edition_of(rows: Iterable[Any], size: int = SIZE) -> int:
    """Which data set all these rows are, as a whole.

    :raises AssertionError: if they are a mixture, or only a part
    """
    told = sorted((row.edition, row.n, row.name) for row in rows if row.edition)
    editions = {edition for edition, *_ in told}
    assert len(editions) == 1, f'a mixture: {told}'
    (edition,) = editions
    assert told == [(edition, n, f'{edition}/{n}') for n in range(size)], f'a part: {told}'
    return edition


def ask(model: Any, size: int = SIZE) -> int:
    """Read in several ways; return the one edition that all answers are of."""
    found = edition_of(model.objects.all(), size)
    assert model.objects.filter(edition__ne=0).count() == size
    assert model.objects.filter(edition=found).count() == size
    few = model.objects.filter(n=3, edition__ne=0).all()
    assert [row.name for row in few] == [f'{found}/3'], few
    return found


def resetting(number: int, partitions: int, edition: int, backwards: bool = False) -> Played:
    """A process with such a number is about to reset."""
    model = process(number, partitions)
    return Played(lambda: model.reset(data_set(model, edition)), backwards)
