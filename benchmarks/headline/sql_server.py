"""A MariaDB of our own, started by the code that the tests start it with."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import Engine, text

sys.path.append(str(Path(__file__).parents[2] / 'tests'))
from mirror import databases

__all__ = ('mariadb', 'pid_of')


def mariadb(stack: ExitStack) -> Engine | str:
    """An engine on an empty database, which ends with the stack; or why there is none."""
    lacking = databases.missing('mariadb')
    if lacking:
        return lacking
    server = databases.Database('mariadb')
    stack.callback(server.stop)
    engine = databases.fresh(server, 'shop')
    stack.callback(engine.dispose)
    return engine


def pid_of(engine: Engine) -> int | None:
    """The process of the server of an engine; None for SQLite, which has none."""
    if engine.dialect.name == 'sqlite':
        return None
    with engine.connect() as connection:
        path = connection.scalar(text('SELECT @@pid_file'))
    return int(Path(str(path)).read_text('ascii'))
