"""List the groups of measurements: what ``python -m benchmarks GROUP`` measures.

The module of a group has a function of the group's name, which starts the subjects and yields
results, and a class, which the process of each subject serves: it lists the works.
"""

from collections.abc import Iterator
from importlib import import_module
from typing import NamedTuple

from ..results import DATABASES, PLAIN, US, Result
from ..running.run import Run
from ..table import Bases

ORM = [(f'{name}, ORM, joins', f'{name}, ORM, selectinload') for name in ('MariaDB', 'SQLite')]


class Measurement(NamedTuple):
    """One group."""

    title: str  # for the help text
    module: str
    cores: str = 'apart'  # see `benchmarks.machine.place`
    bases: Bases = ()  # see `benchmarks.table.by_subject`


GROUPS = {
    'operations': Measurement('each operation, against 6.0.3 and others', 'operations'),
    'growth': Measurement('how the cost of reads grows', 'growth'),
    'asyncio': Measurement('a hundred small queries at a time', 'growth'),
    'page': Measurement('a page of a web application, against SQL', 'page', 'free', ORM),
    'ordered': Measurement('a page in order, against redis-py by hand and SQL', 'ordered', 'free'),
    'promises': Measurement('what each promise costs', 'promises', 'together', [(US,)]),
    'cluster': Measurement('what the way to a node costs', 'spread', 'together', [(US,)]),
    'follow': Measurement(
        'how soon commits of SQL are visible', 'follow', 'free', [(name,) for name in DATABASES]
    ),
    'partitions': Measurement('the CPU that partitions cost', 'spread', 'free', [(PLAIN,)]),
    'waits': Measurement('how long others wait beside mirrors and long saves', 'waits', 'free'),
}
DEFAULT = ('operations', 'growth', 'asyncio')


def results(name: str, run: Run) -> Iterator[Result]:
    """Yield the results of a group, each as soon as it is there."""
    module = import_module(f'.{GROUPS[name].module}', __name__)
    yield from getattr(module, name)(run)
