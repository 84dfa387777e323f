"""Measure the page: all subjects make the same pages in turns."""

import random
from collections.abc import Iterator
from contextlib import ExitStack

import sqlalchemy

from IndexedRedis import setDefaultRedisConnectionParams

from ..results import BEFORE, OLD, US, Result
from ..run import Run
from ..running.databases import pid_of, started, versions
from ..running.load import Loaded, Shape, ask_in_turns
from .catalogue import fill, mirror

PAGES = 275
SEED = 7
SHAPES = [
    Shape('one client', 1, 1),
    Shape('8 clients in one process', 1, 8),
    Shape('32 clients in 4 processes', 4, 8),
]
TITLE = "a page of one artist's tracks"
# The pages of each subject, see `benchmarks.page.pages`.
OURS = ('', ', cached', ', asyncio', ', cached, asyncio', ', links')
PAGES_OF = {
    **{US: OURS, BEFORE: OURS, OLD: ('', ', links')},
    **dict.fromkeys(('MariaDB', 'SQLite'), (', ORM, joins', ', ORM, selectinload', ', plain rows')),
}


def pages(run: Run) -> Iterator[Result]:
    """Compare the pages of all subjects, then time them."""
    with ExitStack() as stack:
        lite = sqlalchemy.create_engine(f'sqlite:///{run.folder}/shop.sqlite')
        stack.callback(lite.dispose)
        engines = {**started(run, stack, ['MariaDB']), 'SQLite': lite}
        for engine in engines.values():
            artists = fill(engine, run.sizes.copies)
        subjects = list(_subjects(run, engines))
        setDefaultRedisConnectionParams(run.connection)
        mirror(engines['SQLite'])
        chosen = random.Random(SEED).choices(artists, k=min(PAGES, run.sizes.rows // 10))
        for result in ask_in_turns(run, TITLE, 'pages/s', subjects, chosen, SHAPES):
            result.note = f'{versions(engines)}; {result.note}'
            yield result
        run.dismiss()


def _subjects(run: Run, engines: dict[str, sqlalchemy.Engine]) -> Iterator[Loaded]:
    """Start all subjects."""
    urls = {name: each.url.render_as_string(hide_password=False) for name, each in engines.items()}
    names = [name for name in PAGES_OF if name in (*run.subjects, *engines)]
    size = max(shape.processes for shape in SHAPES)
    crew = run.crew('page.pages', names, size, urls=urls)
    for name in names:
        team = [process for process in crew if process.name == name]
        server = pid_of(engines[name]) if name in engines else run.server
        for suffix in PAGES_OF[name] if team else ():
            yield Loaded(name + suffix, team, suffix, server)
