"""``python -m benchmarks.headline``: the page from SQL and from Redis, in turns.

Starts servers of its own on free ports and stops them again. Prints a table for each number of
clients; ``--json`` keeps every sample.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import redis
import sqlalchemy

from IndexedRedis import embedded, setDefaultRedisConnectionParams

from .. import cache
from ..concurrency_603 import NotInstalled, interpreter
from ..machine import described, sentence
from ..results import Result
from . import showing
from .catalogue import fill
from .measuring import SHAPES, check_answers, measure
from .mirroring import mirror
from .sql_server import mariadb, pid_of
from .subjects import Subject, of_models, of_sql

COPIES = 10  # of the catalogue: 2,040 artists with tracks, 35,030 tracks
PAGES = 275
SEED = 7


def _engines(stack: ExitStack) -> dict[str, sqlalchemy.Engine]:
    """The SQL databases that there are, empty."""
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix='ir-headline-'))
    lite = sqlalchemy.create_engine(f'sqlite:///{folder}/shop.sqlite')
    stack.callback(lite.dispose)
    server = mariadb(stack)
    if isinstance(server, str):
        print(f'MariaDB is left out: {server}')
        return {'SQLite': lite}
    return {'MariaDB': server, 'SQLite': lite}


def _old() -> Path | None:
    try:
        return interpreter()
    except NotInstalled as exc:
        print(f'6.0.3 is left out: {exc}')
        return None


def _subjects(
    stack: ExitStack, engines: dict[str, sqlalchemy.Engine], client: Any, old: Path | None
) -> list[Subject]:
    """All subjects, with their processes started."""
    size = max(shape.processes for shape in SHAPES)
    server = client.info('server')
    found = of_models(stack, size, server['tcp_port'], server['process_id'], old)
    for name, engine in engines.items():
        url = engine.url.render_as_string(hide_password=False)
        found += of_sql(stack, size, name, url, pid_of(engine))
    return found


def _versions(engines: dict[str, sqlalchemy.Engine], pages: list[list[str]]) -> str:
    shown = [f'SQLAlchemy {sqlalchemy.__version__}']
    for name, engine in engines.items():
        version = '.'.join(map(str, engine.dialect.server_version_info or ()))
        driver = '' if name == 'SQLite' else f' through {engine.dialect.driver}'
        shown.append(f'{name} {version}{driver}')
    return f'{", ".join(shown)}; {len(pages)} pages of {sum(map(len, pages)):,} tracks in all'


def _run(stack: ExitStack, copies: int, rounds: int) -> tuple[dict[str, Any], list[list[Result]]]:
    engines = _engines(stack)
    for engine in engines.values():
        artists = fill(engine, copies)
    server = stack.enter_context(embedded.start())
    setDefaultRedisConnectionParams(server.params)
    mirror(next(iter(engines.values())))
    client = redis.Redis(**server.params)
    stack.callback(client.close)
    subjects = _subjects(stack, engines, client, _old())
    chosen = random.Random(SEED).choices(artists, k=PAGES)
    pages = check_answers(subjects, chosen)
    on = {**described(client), 'sql': _versions(engines, pages)}
    print(f'{sentence(on)} {on["sql"]}, the same from all subjects. Medians of {rounds} rounds.')
    shapes = []
    for shape in SHAPES:
        shapes.append(measure(shape, subjects, chosen, rounds))
        print('\n' + showing.as_text(shapes[-1]), flush=True)
    return on, shapes


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.headline', description=__doc__)
    add = parser.add_argument
    add('--quick', action='store_true', help='a smaller catalogue, fewer rounds')
    add('--json', type=Path, metavar='FILE', help='write every sample there')
    add('--docs', action='store_true', help='make the table of docs/ from the run')
    add('--from', type=Path, dest='source', metavar='FILE', help='a JSON file instead of a run')
    options = parser.parse_args()
    source = options.source or options.json or cache.folder() / 'headline.json'
    if not options.source:
        with ExitStack() as stack:
            on, shapes = _run(stack, *((2, 3) if options.quick else (COPIES, 11)))
        source.parent.mkdir(parents=True, exist_ok=True)
        showing.save(source, on, shapes)
    if options.docs:
        showing.write_docs(source)


if __name__ == '__main__':
    main()
