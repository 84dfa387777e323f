"""Start the SQL databases that this library is compared with."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy

from IndexedRedis.testing import databases

if TYPE_CHECKING:
    from ..run import Run

PID = {'mariadb': 'SELECT @@pid_file', 'postgresql': 'SELECT pg_backend_pid()'}


def started(run: Run, stack: ExitStack, names: Iterable[str]) -> dict[str, sqlalchemy.Engine]:
    """Return engines on empty databases, of servers that end with the stack.

    A database that ``--subjects`` does not choose is left out; so is one whose programs the machine
    lacks, with a line to the user.
    """
    engines = {}
    for name in (each for each in names if each in run.databases):
        kind = name.lower()
        lacking = databases.missing(kind)
        if lacking:
            run.say(f'{name} is left out: {lacking}')
            continue
        server = databases.Database(kind)
        stack.callback(server.stop)
        engines[name] = databases.fresh(server, 'shop')
        stack.callback(engines[name].dispose)
    return engines


def pid_of(engine: sqlalchemy.Engine) -> int | None:
    """Return the process that serves an engine's connection; None for SQLite, which has none."""
    query = PID.get(engine.dialect.name)
    if query is None:
        return None
    with engine.connect() as connection:
        answer = connection.scalar(sqlalchemy.text(query))
    return answer if isinstance(answer, int) else int(Path(str(answer)).read_text('ascii'))


def versions(engines: dict[str, sqlalchemy.Engine]) -> str:
    """Return the versions of SQLAlchemy and of the databases."""
    shown = [f'SQLAlchemy {sqlalchemy.__version__}']
    for name, engine in engines.items():
        with engine.connect():  # which asks for the version
            pass
        version = '.'.join(map(str, engine.dialect.server_version_info or ()))
        driver = '' if name == 'SQLite' else f' through {engine.dialect.driver}'
        shown.append(f'{name} {version}{driver}')
    return ', '.join(shown)
