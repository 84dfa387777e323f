"""Real SQL databases for the tests. The rule: each server is started here, from the programs that
the Debian packages bring, on a free port with its files in a directory of its own, and is gone when
the tests are; where its programs or its driver are missing the tests say so and are skipped."""

from __future__ import annotations

import atexit
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import servers
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError

START_SECONDS = 60
STOP_SECONDS = 20
STOP = {'mariadb': signal.SIGTERM, 'postgresql': signal.SIGINT}
PROGRAMS = {'mariadb': ['mariadb-install-db', 'mariadbd'], 'postgresql': ['initdb', 'postgres']}
DRIVERS = {'mariadb': 'pymysql', 'postgresql': 'psycopg'}
URLS = {
    'mariadb': 'mariadb+pymysql://root@127.0.0.1:{port}/{name}',
    'postgresql': 'postgresql+psycopg://tester@127.0.0.1:{port}/{name}',
}
FIRST = {'mariadb': 'mysql', 'postgresql': 'postgres'}  # databases that are there from the start


def program(name: str) -> str | None:
    """Path of a program, also where Debian hides it."""
    hidden = sorted(map(str, Path('/usr/lib/postgresql').glob('*/bin')), reverse=True)
    return shutil.which(name, path=os.pathsep.join([os.environ['PATH'], '/usr/sbin', *hidden]))


def missing(kind: str) -> str:
    """What this machine lacks to run such a database; empty if nothing."""
    lacking = [name for name in PROGRAMS[kind] if not program(name)]
    if not importlib.util.find_spec(DRIVERS[kind]):
        lacking.append(f'the driver {DRIVERS[kind]}')
    return f'{kind} is not tested: {", ".join(lacking)} not found' if lacking else ''


class Database:
    """One server process."""

    def __init__(self, kind: str):
        self.kind = kind
        self.dir = Path(tempfile.mkdtemp(prefix=f'ir-{kind}-'))
        self.port = servers.free_port()
        self._owner = os.getpid()
        # PostgreSQL refuses to run as root.
        self._user = 'postgres' if kind == 'postgresql' and os.getuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        atexit.register(self.stop)
        getattr(self, f'_make_{kind}')()
        log = (self.dir / 'log').open('ab')
        self._process = subprocess.Popen(self._command, stdout=log, stderr=log, user=self._user)
        log.close()
        # A pytest that is killed runs no atexit; the end of this pipe tells the guard instead.
        guard = f'read _; kill -9 {self._process.pid}'
        self._guard = subprocess.Popen(['sh', '-c', guard], stdin=subprocess.PIPE)
        self._await()

    def url(self, name: str | None = None) -> str:
        """The URL of a database of the server."""
        return URLS[self.kind].format(port=self.port, name=name or FIRST[self.kind])

    def stop(self) -> None:
        """End it, and remove its files."""
        if os.getpid() != self._owner:
            return
        if self._guard and self._guard.stdin:
            self._guard.kill()
            self._guard.stdin.close()
            self._guard.wait()
        if self._process:
            self._process.send_signal(STOP[self.kind])
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        atexit.unregister(self.stop)
        shutil.rmtree(self.dir, ignore_errors=True)

    def _make_mariadb(self) -> None:
        data, socket = self.dir / 'data', self.dir / 'socket'
        user = ['--user=root'] if os.getuid() == 0 else []
        how = [f'--datadir={data}', *user, '--auth-root-authentication-method=normal']
        self._run('mariadb-install-db', '--no-defaults', *how, '--skip-test-db')
        self._command = [str(program('mariadbd')), '--no-defaults', f'--datadir={data}', *user]
        self._command += [f'--socket={socket}', f'--port={self.port}', '--bind-address=127.0.0.1']
        self._command += ['--innodb-flush-log-at-trx-commit=0', f'--pid-file={self.dir / "pid"}']

    def _make_postgresql(self) -> None:
        data = self.dir / 'data'
        if self._user:
            shutil.chown(self.dir, self._user)
        self._run('initdb', '-D', data, '-U', 'tester', '-A', 'trust', '-E', 'UTF8', '--no-sync')
        self._command = [str(program('postgres')), '-D', str(data), '-h', '127.0.0.1', '-F']
        self._command += ['-p', str(self.port), '-k', str(self.dir)]

    def _run(self, name: str, *arguments: object) -> None:
        command = [str(program(name)), *map(str, arguments)]
        done = subprocess.run(
            command, user=self._user, cwd=self.dir, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def _await(self) -> None:
        engine, end = create_engine(self.url()), time.monotonic() + START_SECONDS
        try:
            while True:
                try:
                    engine.connect().close()
                    return
                except DBAPIError:
                    log = (self.dir / 'log').read_text(errors='replace')
                    assert self._process and self._process.poll() is None, log
                    assert time.monotonic() < end, log
                    time.sleep(0.1)
        finally:
            engine.dispose()


def fresh(database: Database, name: str) -> Engine:
    """An engine on a new empty database of the server."""
    maker = create_engine(database.url(), isolation_level='AUTOCOMMIT')
    with maker.connect() as connection:
        connection.exec_driver_sql(f'DROP DATABASE IF EXISTS {name}')
        extra = ' CHARACTER SET utf8mb4' if database.kind == 'mariadb' else ''
        connection.exec_driver_sql(f'CREATE DATABASE {name}{extra}')
    maker.dispose()
    return create_engine(database.url(name))
