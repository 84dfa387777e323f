"""Time a page of one artist's tracks, from SQL and from a mirror of it in Redis."""

import random
from collections.abc import Iterator
from typing import Any

from IndexedRedis import setDefaultRedisConnectionParams

from ..results import BEFORE, OLD, US, Result
from ..running.clients import load
from ..running.run import Run
from ..running.served import Served, Work
from ..running.turns import compare
from ..subjects import pages

PAGES, SEED = 275, 7
CONNECTIONS = 16
TITLE = "a page of one artist's tracks"
SHAPES = {  # processes, and clients of each
    'one client': (1, 1),
    '8 clients in one process': (1, 8),
    '32 clients in 4 processes': (4, 8),
}


def page(run: Run) -> Iterator[Result]:
    """Compare the pages of all subjects, which make the same ones in turns, then time them."""
    from sqlalchemy import create_engine

    from ..running.databases import started
    from ..subjects.catalogue import fill, mirror

    with started(run, ['MariaDB', 'SQLite']) as (urls, versions):
        for url in urls.values():
            engine = create_engine(url)
            tracks = fill(engine, run.sizes.copies)
        count = min(PAGES, run.sizes.rows // 10)
        artists = random.Random(SEED).choices(sorted(tracks), k=count)
        names = [*run.chosen(US, BEFORE, OLD), *urls]
        processes = max(processes for processes, _ in SHAPES.values())
        crew = run.crew('page', names, processes, urls=urls, artists=artists)
        setDefaultRedisConnectionParams(run.connection)
        mirror(engine)
        rows = sum(tracks[artist] for artist in artists)
        for result in compare(run, 'page', crew):
            result.note = f'{versions}; {count} pages of {rows:,} rows in all'
            yield result


class Pages(Served):
    """The pages of some artists, made by one subject."""

    engine_options = {'pool_size': CONNECTIONS}

    def __init__(self, artists: list[int], **config: Any) -> None:
        config['connection']['db'] = 0  # all read the same objects
        super().__init__(**config)
        setDefaultRedisConnectionParams(self.connection)
        self.artists = artists
        self.pages = pages.of_sql(self.engine) if self.engine else pages.of_models()

    def page(self) -> Iterator[Work]:
        """Yield clients that make all pages."""
        how = {'unit': 'pages/s', 'rounds': self.sizes.rounds}
        for shape, (processes, clients) in SHAPES.items():
            for way, make in self.pages.items():
                how |= {'way': way, 'processes': processes}
                name, seconds = f'{TITLE}, {shape}', self.sizes.seconds
                yield load(name, make, clients, self.artists, seconds, **how)


serve = Pages
