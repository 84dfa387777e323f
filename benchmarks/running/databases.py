"""Start the SQL databases that this library is compared with."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy

from IndexedRedis.testing import databases

from ..run import Run

PID = {'mariadb': 'SELECT @@pid_file', 'postgresql': 'SELECT pg_backend_pid()'}


@contextmanager
def started(
    run: Run, names: Iterable[str], config: Mapping[str, Any] | None = None
) -> Iterator[dict[str, sqlalchemy.Engine]]:
    """Give engines on empty databases, of servers that run as long as the block.

    A database that ``--subjects`` does not choose is left out; so is one whose programs the machine
    lacks, with a line to the user.

    :param names: subjects; SQLite is a file
    :param config: settings of a kind of server
    """
    engines = {}
    with ExitStack() as stack:
        for name in names:
            kind = name.lower()
            if name == 'SQLite':
                engines[name] = sqlalchemy.create_engine(f'sqlite:///{run.folder}/shop.sqlite')
            elif name not in run.databases:
                continue
            elif lacking := databases.missing(kind):
                run.say(f'{name} is left out: {lacking}')
                continue
            else:
                server = databases.Database(kind, (config or {}).get(kind))
                stack.callback(server.stop)
                engines[name] = databases.fresh(server, 'shop')
            stack.callback(engines[name].dispose)
        yield engines
        run.dismiss()


def urls_of(engines: Mapping[str, sqlalchemy.Engine]) -> dict[str, str]:
    """Return the URL of each database, which processes connect to."""
    return {name: each.url.render_as_string(hide_password=False) for name, each in engines.items()}


def pid_of(engine: sqlalchemy.Engine) -> int | None:
    """Return the process that serves an engine's connection; None for SQLite, which has none."""
    query = PID.get(engine.dialect.name)
    if query is None:
        return None
    with engine.connect() as connection:
        answer = connection.scalar(sqlalchemy.text(query))
    return answer if isinstance(answer, int) else int(Path(str(answer)).read_text('ascii'))


def versions(engines: Mapping[str, sqlalchemy.Engine]) -> str:
    """Return the versions of SQLAlchemy and of the databases."""
    shown = [f'SQLAlchemy {sqlalchemy.__version__}']
    for name, engine in engines.items():
        with engine.connect():  # which asks for the version
            pass
        version = '.'.join(map(str, engine.dialect.server_version_info or ()))
        driver = '' if name == 'SQLite' else f' through {engine.dialect.driver}'
        shown.append(f'{name} {version}{driver}')
    return ', '.join(shown)
