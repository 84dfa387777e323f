"""Real SQL databases for tests, benchmarks and the demo, from programs that the machine has.

The rule: a server listens on a free port of 127.0.0.1, has its files in a folder of its own, and
ends with the process that started it, even if that is killed. Needs the extra ``sql`` and the
database's driver.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..embedded.process import free_port
from ..errors import EmbeddedServerError

if TYPE_CHECKING:
    from sqlalchemy import Engine

__all__ = ('KINDS', 'Database', 'fresh', 'missing')

#: the kinds of databases that this module can start
KINDS = ('mariadb', 'postgresql')
START_SECONDS = 60
STOP_SECONDS = 20
STOP = {'mariadb': signal.SIGTERM, 'postgresql': signal.SIGINT}
# A crash. PostgreSQL would leave the processes of its connections behind if it was killed.
CRASH = {'mariadb': signal.SIGKILL, 'postgresql': signal.SIGQUIT}
PROGRAMS = {'mariadb': ['mariadb-install-db', 'mariadbd'], 'postgresql': ['initdb', 'postgres']}
DRIVERS = {'mariadb': 'pymysql', 'postgresql': 'psycopg'}
URLS = {
    'mariadb': 'mariadb+pymysql://root@127.0.0.1:{port}/{name}',
    'postgresql': 'postgresql+psycopg://tester@127.0.0.1:{port}/{name}',
}
FIRST = {'mariadb': 'mysql', 'postgresql': 'postgres'}  # databases that are there from the start


def missing(kind: str) -> str:
    """Return what this machine lacks to run a kind of database; empty if nothing.

    :param kind: one of :data:`KINDS`
    """
    lacking = [name for name in PROGRAMS[kind] if not _program(name)]
    if not importlib.util.find_spec(DRIVERS[kind]):
        lacking.append(f'the driver {DRIVERS[kind]}')
    return f'{", ".join(lacking)} not found' if lacking else ''


class Database:
    """A running server of a SQL database; as a context manager it stops at the end of the block.

    :param kind: one of :data:`KINDS`, for which :func:`missing` returns nothing
    :param config: settings of the server, such as ``{'wal_level': 'logical'}``
    :raises EmbeddedServerError: if it did not start
    """

    def __init__(self, kind: str, config: Mapping[str, str] | None = None) -> None:
        self.kind, self._config = kind, config or {}
        self.dir = Path(tempfile.mkdtemp(prefix=f'ir-{kind}-'))
        self.port = free_port(0) or 0
        self._owner = os.getpid()
        # PostgreSQL refuses to run as root.
        self._user = 'postgres' if kind == 'postgresql' and os.getuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        atexit.register(self.stop)
        try:
            self._command = self._mariadb() if kind == 'mariadb' else self._postgresql()
            self.start()
        except BaseException:
            self.stop()
            raise

    def url(self, name: str | None = None) -> str:
        """Return the URL of a database of the server.

        :param name: of the database; ``None``: the one that is there from the start
        """
        return URLS[self.kind].format(port=self.port, name=name or FIRST[self.kind])

    def start(self) -> None:
        """Run the server again, on the same port, after :meth:`kill`.

        :raises EmbeddedServerError: if it did not start
        """
        self._launch(self._command)
        self._wait_started()

    def kill(self) -> None:
        """End the server as a crash does; :meth:`start` brings it back with its data."""
        self._end(CRASH[self.kind])

    def stop(self) -> None:
        """End the server, and remove its files."""
        if os.getpid() != self._owner:
            return
        self._end(STOP[self.kind])
        atexit.unregister(self.stop)
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def _mariadb(self) -> list[str]:
        """Make the files; return the command of the server."""
        data, socket = self.dir / 'data', self.dir / 'socket'
        user = ['--user=root'] if os.getuid() == 0 else []
        how = [f'--datadir={data}', *user, '--auth-root-authentication-method=normal']
        self._run('mariadb-install-db', '--no-defaults', *how, '--skip-test-db')
        return [
            *(str(_program('mariadbd')), '--no-defaults', f'--datadir={data}', *user),
            *(f'--socket={socket}', f'--port={self.port}', '--bind-address=127.0.0.1'),
            *('--innodb-flush-log-at-trx-commit=0', f'--pid-file={self.dir / "pid"}'),
            *(f'--{name}={value}' for name, value in self._config.items()),
        ]

    def _postgresql(self) -> list[str]:
        data = self.dir / 'data'
        if self._user:
            shutil.chown(self.dir, self._user)
        self._run('initdb', '-D', data, '-U', 'tester', '-A', 'trust', '-E', 'UTF8', '--no-sync')
        command = [str(_program('postgres')), '-D', str(data), '-h', '127.0.0.1', '-F']
        settings = [f'--{name}={value}' for name, value in self._config.items()]
        return [*command, '-p', str(self.port), '-k', str(self.dir), *settings]

    def _run(self, name: str, *arguments: object) -> None:
        command = [str(_program(name)), *map(str, arguments)]
        done = subprocess.run(
            command, user=self._user, cwd=self.dir, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise EmbeddedServerError(f'{name} failed: {done.stdout}{done.stderr}')

    def _launch(self, command: list[str]) -> None:
        with (self.dir / 'log').open('ab') as log:
            self._process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                user=self._user,
                start_new_session=True,  # Ctrl-C reaches our process, which ends the server
            )
        # A process that is killed runs no atexit; the end of this pipe tells the guard instead.
        self._guard = subprocess.Popen(
            ['sh', '-c', f'read _; kill -9 {self._process.pid}'],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def _end(self, number: int) -> None:
        if self._guard and self._guard.stdin:
            self._guard.kill()
            self._guard.stdin.close()
            self._guard.wait()
        if self._process:
            self._process.send_signal(number)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = self._guard = None

    def _wait_started(self) -> None:
        from sqlalchemy import create_engine
        from sqlalchemy.exc import DBAPIError

        engine, end = create_engine(self.url()), time.monotonic() + START_SECONDS
        try:
            while True:
                try:
                    engine.connect().close()
                    return
                except DBAPIError as error:
                    process = self._process
                    if not process or process.poll() is not None or time.monotonic() > end:
                        log = (self.dir / 'log').read_text(errors='replace')
                        raise EmbeddedServerError(
                            f'{self.kind} did not start; its log: {log}'
                        ) from error
                    time.sleep(0.1)
        finally:
            engine.dispose()


def fresh(database: Database, name: str) -> Engine:
    """Return an engine on a new empty database of the server.

    :param database: the server
    :param name: of the database; one of that name is dropped first, and its connections end
    """
    from sqlalchemy import create_engine

    maker = create_engine(database.url(), isolation_level='AUTOCOMMIT')
    with maker.connect() as connection:
        # A process that was killed leaves its connection to PostgreSQL for a moment.
        force = ' WITH (FORCE)' if database.kind == 'postgresql' else ''
        connection.exec_driver_sql(f'DROP DATABASE IF EXISTS {name}{force}')
        extra = ' CHARACTER SET utf8mb4' if database.kind == 'mariadb' else ''
        connection.exec_driver_sql(f'CREATE DATABASE {name}{extra}')
    maker.dispose()
    return create_engine(database.url(name))


def _program(name: str) -> str | None:
    """Return the path of a program, also where Debian hides it."""
    hidden = sorted(map(str, Path('/usr/lib/postgresql').glob('*/bin')), reverse=True)
    return shutil.which(name, path=os.pathsep.join([os.environ['PATH'], '/usr/sbin', *hidden]))
