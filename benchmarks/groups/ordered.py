"""Time a page in the order of a price, and filters with many values, on more and more rows."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from ..machine import come_first
from ..results import BEFORE, BY_HAND, DATABASES, US, Result
from ..running.databases import started
from ..running.run import Run
from ..running.served import Served, Work
from ..running.turns import compare, wait_and_total
from ..subjects.ordered import DEAR, EVEN, SIZE, ByHand, Models, Sql, artists

ORM = ', ORM'
VALUES = (2, 20, 1_000)


def ordered(run: Run) -> Iterator[Result]:
    """Compare the answers of all subjects, then time them."""
    with started(run, DATABASES) as (databases, versions):
        urls = {name + way: url for name, url in databases.items() for way in ('', ORM)}
        names = [*run.chosen(US, BEFORE, BY_HAND), *urls]
        for count in run.sizes.ordered:
            crew = run.crew('ordered', names, urls=urls, count=count)
            for result in compare(run, 'ordered', crew):
                result.note = versions
                for name in urls:  # the longest command is one of Redis
                    result.longest.pop(name, None)
                yield result
        come_first(run.server)
        redis = [process for process in crew if process.name not in urls]
        for result in compare(run, 'waits', redis):
            yield next(wait_and_total(result))


class Questions(Served):
    """The questions of one subject, asked of ``count`` rows."""

    engine_options = {'isolation_level': 'AUTOCOMMIT', 'pool_reset_on_return': None}

    def __init__(self, count: int, **config: Any) -> None:
        config['connection']['db'] = 0  # redis-py by hand reads the objects of this library
        super().__init__(**config)
        self.count, self.rows = count, f'{count:,} rows'
        self.asked: Any
        if self.engine:
            self.asked = Sql(self.engine, self.subject.endswith(ORM))
        else:
            self.asked = (ByHand if self.subject == BY_HAND else Models)(self.connection)
        many, first = self.sizes.calls, self.asked.page
        self.first_pages = [  # their titles, how often they are read, and how
            ('page 1 by price', many, first),
            ('page 1 by price of an evenly spread eighth', many, partial(first, **EVEN)),
            ('page 1 by price of the dearest eighth', many // 10, partial(first, **DEAR)),
        ]

    def fill(self) -> None:
        """Store the rows."""
        print(f'{self.subject}: storing {self.rows} ...', flush=True)
        self.asked.fill(self.count)

    def ordered(self) -> Iterator[Work]:
        """Yield pages in an order, and lists of values."""
        asked, many = self.asked, self.sizes.calls
        few, middle = many // 10, self.count // SIZE // 2
        after = partial(asked.after, asked.place(middle))
        for title, times, ask in (
            *self.first_pages,
            ('page in the middle by price, by cursor', many, after),
            ('page in the middle by price, by number', few, partial(asked.page, middle + 1)),
        ):
            yield self.timed(f'{self.rows}: {title}', ask, times, rounds=self.sizes.slow)
        for size in VALUES:
            name, ask = f'artist__in=[...], {size:,} values', partial(asked.among, artists(size))
            how = {'answer': sorted, 'rounds': self.sizes.slow}
            yield self.timed(f'{self.rows}: {name}', ask, many if size < 100 else few, **how)

    def waits(self) -> Iterator[Work]:
        """Yield first pages, ten times as many where they are short, beside a reader."""
        for title, times, ask in self.first_pages:
            name = f'{self.rows}: {title}, beside that reader'
            longer = 10 * times if times == self.sizes.calls else times
            yield self.timed(name, ask, longer, how='beside', per=1, rounds=self.sizes.slow)


serve = Questions
