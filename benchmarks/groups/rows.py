"""Serve a subject with rows: what the groups ``operations``, ``growth`` and ``asyncio`` share."""

from functools import cache
from typing import Any

import redis

from ..dataset import Dataset
from ..running.served import Served, Work
from ..subjects import Row, subject_of


class Rows(Served):
    """``shelf`` has all rows; ``scratch``, in a database of its own, is written to."""

    def __init__(self, data: Dataset, **config: Any) -> None:
        super().__init__(**config)
        self.data, self.query, self.names = data, cache(data.query), [*data.kinds]
        beside = {**self.connection, 'db': self.connection['db'] + 1}
        self.scratch_client = redis.Redis(**beside)
        self.shelf = subject_of(self.subject, self.connection, data)
        self.scratch = subject_of(self.subject, beside, data)
        self.cannot, self.keeps_nulls = self.shelf.cannot, self.shelf.keeps_nulls

    def fill(self) -> None:
        """Store all rows, for the works that read."""
        print(f'{self.subject}: storing {len(self.data.rows):,} rows ...', flush=True)
        self.shelf.fill(self.rows())

    def rows(self, count: int | None = None) -> list[Row]:
        """Return the first rows, with the subject's nulls."""
        return self.shelf.given(self.data.dicts(count))

    def get(self, subject: Any) -> Work:
        """Return a work that gets objects by their pks."""
        read, calls = subject.reader(self.names), 2 * self.sizes.calls
        pks = range(1, self.sizes.rows, max(1, self.sizes.rows // calls))

        def get_all() -> list[Any]:
            return [read(subject.get(pk)) for pk in pks]

        return self.timed('get(pk)', get_all, 1, per=len(pks), reads=True)

    def select(self, subject: Any, filters: Row, hits: int, names: list[str]) -> Work:
        """Return a work that reads fields of the objects that match."""
        read, rounds, slow = subject.reader(names), self.sizes.rounds, self.sizes.slow

        def select() -> list[Any]:
            objects = subject.select(filters) if filters else subject.everything()
            return [read(each) for each in objects]

        return self.timed(
            f'filter().all(), {hits:,} row{"s" * (hits > 1)}, '
            f'{"every field" if names is self.names else "three fields"} read',
            select,
            self.times(hits),
            rounds=rounds if hits <= 10_000 else slow,
            slow_rounds=slow if hits > 1_000 else rounds,
            needs='select' if filters else 'everything',
            reads=True,
        )

    def times(self, hits: int) -> int:
        """Return how many results of so many rows one sample takes."""
        return max(1, min(self.sizes.calls // 2, 10 * self.sizes.calls // hits))
