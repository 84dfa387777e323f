"""List all measurements: what ``python -m benchmarks GROUP`` measures, and on which cores."""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import NamedTuple

from .results import US, Result
from .run import Run
from .table import Bases


class Measurement(NamedTuple):
    """One group, which a generator of its name measures."""

    title: str  # for the help text
    module: str
    cores: str = 'apart'  # see `benchmarks.machine.place`
    bases: Bases = ()  # see `benchmarks.table.by_subject`

    def results(self, name: str, run: Run) -> Iterator[Result]:
        """Measure the group, and yield each result as soon as it is there."""
        measure: Callable[[Run], Iterator[Result]]
        measure = getattr(import_module(f'.{self.module}', __package__), name)
        return measure(run)


ORM = [(f'{name}, ORM, joins', f'{name}, ORM, selectinload') for name in ('MariaDB', 'SQLite')]
GROUPS = {
    'operations': Measurement('each operation, against 6.0.3 and others', 'rows.measure'),
    'growth': Measurement('how the cost of reads grows', 'rows.measure'),
    'asyncio': Measurement('a hundred small queries at a time', 'rows.measure'),
    'clients': Measurement('1 to 256 small queries at a time', 'rows.measure', 'free'),
    'page': Measurement('a page of a web application, against SQL', 'page.measure', 'free', ORM),
    'promises': Measurement('what each promise costs', 'promises.measure', 'together', [(US,)]),
    'waits': Measurement(
        'how long others wait beside commands and long writes', 'waits.measure', 'free'
    ),
}
DEFAULT = ('operations', 'growth', 'asyncio')
