"""Measure the page: all subjects make the same pages in turns."""

import random
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import sqlalchemy

from IndexedRedis import setDefaultRedisConnectionParams

from ..results import BEFORE, OLD, US, Result
from ..run import Run
from ..running.loads import Loaded, Shape, check_answers, measure_load
from ..running.processes import ROOT
from .catalogue import fill, mirror

PAGES = 275
SEED = 7
SHAPES = (
    Shape('one client', 1, 1),
    Shape('8 clients in one process', 1, 8),
    Shape('32 clients in 4 processes', 4, 8),
)
# The pages of each kind of process, and what subjects are called after them.
PAGES_OF: dict[str, dict[str, str]] = {
    'models': {'joined': '', 'cached': ', cached', 'linked': ', links'},
    'asyncio': {'joined': ', asyncio', 'cached': ', cached, asyncio'},
    'sql': {'joins': ', ORM, joins', 'collections': ', ORM, selectinload', 'rows': ', plain rows'},
}


def page(run: Run) -> Iterator[Result]:
    """Compare the pages of all subjects, then time them."""
    with ExitStack() as stack:
        engines = _engines(run, stack)
        for engine in engines.values():
            artists = fill(engine, run.sizes.copies)
        run.dismiss()
        setDefaultRedisConnectionParams(run.connection)
        mirror(next(iter(engines.values())))
        subjects = list(_subjects(run, engines))
        chosen = random.Random(SEED).choices(artists, k=min(PAGES, run.sizes.rows // 10))
        pages = check_answers(subjects, chosen)
        note = f'{_versions(engines)}; {len(pages)} pages of {sum(map(len, pages)):,} tracks in all'
        for shape in SHAPES:
            rounds, seconds = run.sizes.rounds, run.sizes.seconds
            result = measure_load(shape, subjects, chosen, rounds, seconds)
            result.work = f"a page of one artist's tracks, {shape.name}"
            result.unit, result.note = 'pages/s', note
            yield result
        run.dismiss()


def _engines(run: Run, stack: ExitStack) -> dict[str, sqlalchemy.Engine]:
    """Return the SQL databases that the machine has, empty."""
    lite = sqlalchemy.create_engine(f'sqlite:///{run.folder}/shop.sqlite')
    stack.callback(lite.dispose)
    sys.path.append(str(ROOT / 'tests'))  # whose code starts MariaDB
    from mirror import databases

    lacking = databases.missing('mariadb')
    if lacking:
        run.say(f'MariaDB is left out: {lacking}')
        return {'SQLite': lite}
    server = databases.Database('mariadb')
    stack.callback(server.stop)
    engine = databases.fresh(server, 'shop')
    stack.callback(engine.dispose)
    return {'MariaDB': engine, 'SQLite': lite}


def _subjects(run: Run, engines: dict[str, sqlalchemy.Engine]) -> Iterator[Loaded]:
    """Start all subjects."""
    teams: list[tuple[str, str, Any, int | None]] = []
    for name in (US, BEFORE, OLD):
        if name in run.subjects:
            teams.append((name, 'models', run.connection, run.server))
            if name != OLD:
                teams.append((name, 'asyncio', run.connection, run.server))
    for name, engine in engines.items():
        url = engine.url.render_as_string(hide_password=False)
        teams.append((name, 'sql', url, _pid_of(engine)))
    size = max(shape.processes for shape in SHAPES)
    for name, kind, where, server in teams:
        team = [
            process
            for _ in range(size)
            for process in run.start(name, 'page.pages', kind=kind, where=where)
        ]
        for question, suffix in PAGES_OF[kind].items():
            if team and not (name == OLD and question == 'cached'):
                yield Loaded(name + suffix, team, question, server)


def _pid_of(engine: sqlalchemy.Engine) -> int | None:
    """Return the process of an engine's server; None for SQLite, which has none."""
    if engine.dialect.name == 'sqlite':
        return None
    with engine.connect() as connection:
        path = connection.scalar(sqlalchemy.text('SELECT @@pid_file'))
    return int(Path(str(path)).read_text('ascii'))


def _versions(engines: dict[str, sqlalchemy.Engine]) -> str:
    shown = [f'SQLAlchemy {sqlalchemy.__version__}']
    for name, engine in engines.items():
        version = '.'.join(map(str, engine.dialect.server_version_info or ()))
        driver = '' if name == 'SQLite' else f' through {engine.dialect.driver}'
        shown.append(f'{name} {version}{driver}')
    return ', '.join(shown)
