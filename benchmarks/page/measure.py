"""Measure the page: all subjects make the same pages in turns."""

import random
from collections.abc import Iterator

from IndexedRedis import setDefaultRedisConnectionParams

from ..results import BEFORE, OLD, US, Result
from ..run import Run
from ..running.databases import started, urls_of, versions
from ..running.turns import compare
from .catalogue import fill, mirror
from .works import PROCESSES

PAGES = 275
SEED = 7


def page(run: Run) -> Iterator[Result]:
    """Compare the pages of all subjects, then time them."""
    with started(run, ['MariaDB', 'SQLite']) as engines:
        for engine in engines.values():
            tracks = fill(engine, run.sizes.copies)
        count = min(PAGES, run.sizes.rows // 10)
        artists = random.Random(SEED).choices(sorted(tracks), k=count)
        names = [*run.chosen(US, BEFORE, OLD), *engines]
        crew = run.crew('page.works', names, PROCESSES, urls=urls_of(engines), artists=artists)
        setDefaultRedisConnectionParams(run.connection)
        mirror(engines['SQLite'])
        rows = sum(tracks[artist] for artist in artists)
        for result in compare(run, 'page', crew):
            result.note = f'{versions(engines)}; {count} pages of {rows:,} rows in all'
            yield result
