"""Hold one run: the server, and the processes of the subjects.

Whatever a run starts ends with it. A server that was there before is used only if it is empty.
"""

import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import redis

from .. import cache
from ..results import BEFORE
from ..sizes import SIZES
from .process import ROOT, Process

# Seconds: a transaction of 100,000 rows outlasts redis-py's 5 on a slow machine.
PATIENCE = 120


class Run:
    """A run.

    :param options: of the command line
    :param client: of the server, which is empty
    :param server: the server's process if it is a child of this one
    :param folder: for files, removed at the end
    """

    def __init__(self, options: Any, client: redis.Redis, server: int | None, folder: Path) -> None:
        self.options, self.client, self.server, self.folder = options, client, server, folder
        given = client.connection_pool.connection_kwargs
        names = ('host', 'port', 'username', 'password', 'socket_timeout')
        self.connection = {name: given[name] for name in names if name in given}
        self.sizes = SIZES[options.sizes]
        self._crew: list[Process] = []
        self._reader: Process | None = None

    def wants(self, work: str) -> bool:
        """Return whether ``--only`` or ``--profile`` matches a work, or nothing is chosen."""
        chosen = [*self.options.only, *self.options.profile]
        return not chosen or _matches(work, chosen)

    def profiles(self, work: str) -> bool:
        """Return whether ``--profile`` matches a work."""
        return _matches(work, self.options.profile)

    def chosen(self, *names: str) -> list[str]:
        """Return those of some subjects that ``--subjects`` chooses."""
        return [name for name in names if name in self.options.subjects]

    def crew(
        self, module: str, names: Iterable[str], copies: int = 1, **config: Any
    ) -> list[Process]:
        """Return processes that serve a group, one for each name, in place of all earlier ones.

        Each has two databases of its own, and stores its rows. A subject that cannot be installed
        is left out, with a line to the user.

        :param module: of ``benchmarks.groups``
        :param copies: so many processes for each name
        :param config: further arguments of the module's ``serve()``
        """
        self.dismiss()
        for database, name in [*enumerate(names)] * copies:
            try:
                process = self._start(f'groups.{module}', name, 2 * database, **config)
            except cache.NotInstalled as exc:
                say(f'{name} is left out: {exc}')
            else:
                self._crew.append(process)
        for process in self._crew:
            process.ask('fill')
        return self._crew

    def _start(self, module: str, name: str, database: int, **config: Any) -> Process:
        config |= {'subject': name, 'connection': {**self.connection, 'db': database}}
        library = cache.library(name) if name in cache.PACKAGES else ROOT
        if name == BEFORE:
            library = self.options.against
        return Process(name, module, {**config, 'sizes': self.sizes}, library)

    @property
    def reader(self) -> Process:
        """The process of a second connection, which sends PINGs."""
        if not self._reader:
            self._reader = self._start('running.reader', 'reader', 0)
        return self._reader

    def dismiss(self) -> None:
        """Stop all processes and empty the server."""
        for process in [*self._crew, *([self._reader] if self._reader else [])]:
            process.stop()
        self._crew, self._reader = [], None
        self.client.flushall()


def _matches(work: str, patterns: list[str]) -> bool:
    return any(fnmatch(work, f'*{each}*') for each in patterns)


def say(text: str) -> None:
    """Tell the user how far the run is."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def opened(options: Any) -> Iterator[Run]:
    """Start a run, and end it at last."""
    from IndexedRedis import embedded

    with ExitStack() as stack:
        url = options.url or stack.enter_context(embedded.start()).url
        client = stack.enter_context(redis.from_url(url, socket_timeout=PATIENCE))
        if client.info('keyspace'):
            raise SystemExit(f'{url} holds data, and this would mix with it: take an empty server')
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix='ir-benchmarks-'))
        server = None if options.url else client.info('server')['process_id']
        run = Run(options, client, server, Path(folder))
        stack.callback(run.dismiss)
        yield run
