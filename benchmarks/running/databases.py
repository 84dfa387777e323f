"""Start the SQL databases that this library is compared with."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy

from IndexedRedis.testing import databases

from .run import Run, say

PID = {'mariadb': 'SELECT @@pid_file', 'postgresql': 'SELECT pg_backend_pid()'}


@contextmanager
def started(
    run: Run, names: Iterable[str], config: Mapping[str, Any] | None = None
) -> Iterator[tuple[dict[str, str], str]]:
    """Give the URLs of empty databases by name, and their versions.

    Their servers run as long as the block. A database that ``--subjects`` does not choose is left
    out; so is one whose programs the machine lacks, with a line to the user.

    :param names: subjects; SQLite is a file
    :param config: settings of a kind of server
    """
    urls, versions = {}, [f'SQLAlchemy {sqlalchemy.__version__}']
    with ExitStack() as stack:
        for name in names:
            kind = name.lower()
            if name == 'SQLite':
                engine = sqlalchemy.create_engine(f'sqlite:///{run.folder}/shop.sqlite')
            elif not run.chosen(name):
                continue
            elif lacking := databases.missing(kind):
                say(f'{name} is left out: {lacking}')
                continue
            else:
                server = stack.enter_context(databases.Database(kind, (config or {}).get(kind)))
                engine = databases.fresh(server, 'shop')
            with engine.connect():  # which asks for the version
                version = '.'.join(map(str, engine.dialect.server_version_info or ()))
            through = '' if name == 'SQLite' else f' through {engine.dialect.driver}'
            versions.append(f'{name} {version}{through}')
            urls[name] = engine.url.render_as_string(hide_password=False)
            engine.dispose()
        yield urls, ', '.join(versions)
        run.dismiss()


def connected(url: str, **how: Any) -> tuple[sqlalchemy.Engine, int | None]:
    """Return an engine, and the process that serves its connection; SQLite has none."""
    engine = sqlalchemy.create_engine(url, **how)
    query = PID.get(engine.dialect.name)
    if query is None:
        return engine, None
    with engine.connect() as connection:
        answer = connection.scalar(sqlalchemy.text(query))
    return engine, answer if isinstance(answer, int) else int(Path(str(answer)).read_text('ascii'))
