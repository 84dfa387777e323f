"""Commands that begin within milliseconds. The rule: each is a process of its own, with arguments,
folder, environment, pipes and exit status; only the imports, most of the time of a short command,
it has from the process that forks it. It gives up a server that is away after 0.1 s instead of 1 s.

Run as a program, this is that process.
"""

from __future__ import annotations

import atexit
import functools
import gc
import io
import json
import os
import runpy
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout, suppress
from typing import Any

SIZE = 8  # bytes of the number that says how long a request is


def run(
    args: list[str], given: bytes, env: dict[str, str], seconds: int, cwd: Any = None
) -> tuple[int, bytes, bytes]:
    """Run a command to its end; its status as `subprocess` has it, and what it printed."""
    parent = _parent(env['PYTHONPATH'])
    parent.settimeout(seconds)
    (stdin, source), (out, stdout), (errors, stderr) = os.pipe(), os.pipe(), os.pipe()
    request = json.dumps([args, str(cwd or os.getcwd()), env]).encode()
    socket.send_fds(parent, [f'{len(request):{SIZE}}'.encode()], [stdin, stdout, stderr])
    parent.sendall(request)
    for each in (stdin, stdout, stderr):
        os.close(each)
    with ThreadPoolExecutor(2) as threads:
        printed = threads.map(_read, (out, errors))
        with suppress(BrokenPipeError), open(source, 'wb') as pipe:
            pipe.write(given)
        status = parent.recv(SIZE)
        assert status, 'the process that forks has ended'
        return int(status), *printed


def _read(pipe: int) -> bytes:
    with open(pipe, 'rb') as file:
        return file.read()


@functools.cache
def _parent(path: str) -> socket.socket:
    """A connection to the process that forks; that ends when the connection does."""
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, '-m', 'cli.forked', str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env={**os.environ, 'PYTHONPATH': path},
        )
    atexit.register(process.wait)
    atexit.register(ours.close)  # comes before the wait
    return ours


# -- the other end ---------------------------------------------------------------------------


def wait_for_a_command(connection: socket.socket) -> list[str]:
    """Fork for each command that comes; only the children return, with its arguments."""
    while True:
        size, pipes, _, _ = socket.recv_fds(connection, SIZE, 3)
        if not size:
            sys.exit()
        request = connection.recv(int(size), socket.MSG_WAITALL)
        child = os.fork()
        if child == 0:
            args, cwd, env = json.loads(request)
            _become(pipes, cwd, env)
            return list(args)
        for each in pipes:
            os.close(each)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        connection.send(str(status).encode())


def _become(pipes: list[int], cwd: str, env: dict[str, str]) -> None:
    """Take the streams, the folder and the environment of a new process."""
    for number, pipe in enumerate(pipes):
        os.dup2(pipe, number)
        os.close(pipe)
    # The one there was remembers what could be done to it.
    sys.stdin = os.fdopen(0, closefd=False)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.path[0] = cwd  # where `python -m` looks first


def _run(*args: str) -> None:
    sys.argv[1:] = args
    runpy.run_module('IndexedRedis', run_name='__main__', alter_sys=True)


def _import_all() -> None:
    """Import what commands need, by a command that fails."""
    with suppress(ImportError):
        import sqlalchemy  # noqa: F401
    nowhere = io.StringIO()
    with suppress(SystemExit), redirect_stdout(nowhere), redirect_stderr(nowhere):
        _run('models', '--url', 'redis://127.0.0.1:port/0')
    from IndexedRedis.executors import exchange

    exchange.RETRY_SECONDS = 0.1


if __name__ == '__main__':
    with socket.socket(fileno=int(sys.argv[1])) as _connection:
        _import_all()
        gc.collect()
        gc.freeze()  # the children would look at all of it when they end
        _args = wait_for_a_command(_connection)
    _run(*_args)
