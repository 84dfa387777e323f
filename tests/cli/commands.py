"""Running commands as a user does: another process, with pipes or in a terminal.

The rule: what a test looks at is standard output, standard error and the exit status.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cli import forked

HERE = Path(__file__).parent
COMMAND = [sys.executable, '-m', 'IndexedRedis']
PATHS = [HERE, HERE.parent, HERE.parent.parent]
SECONDS = 120
PATIENCE = 3  # seconds without an echo after which people type again
# The terminal sends signals, such as that of Ctrl-C, to the session it belongs to.
TAKE_TERMINAL = (
    'import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); '
    'os.execv(sys.argv[1], sys.argv[1:])'
)


def environment(**more: str) -> dict[str, str]:
    """Variables of a process that finds the models of these tests."""
    kept = {name: value for name, value in os.environ.items() if name != 'INDEXEDREDIS_URL'}
    paths = os.pathsep.join([*map(str, PATHS), *filter(None, [kept.get('PYTHONPATH')])])
    return {**kept, 'PYTHONPATH': paths, 'TERM': 'xterm', 'COLUMNS': '100', **more}


class Done(NamedTuple):
    """A command that has ended; output as bytes."""

    status: int
    raw: bytes
    errors: str

    @property
    def out(self) -> str:
        return self.raw.decode('utf-8')

    @property
    def json(self) -> Any:
        """The one document on standard output."""
        (line,) = self.out.splitlines()
        return json.loads(line)


def command(*args: Any, given: bytes = b'', **options: Any) -> Done:
    """Run a command with pipes, without waiting for Python to start and to import.

    :param given: what it reads from standard input
    """
    env = environment(**options.pop('env', {}))
    status, out, errors = forked.run([*map(str, args)], given, env, SECONDS, **options)
    return Done(status, out, errors.decode('utf-8'))


def start(*args: Any, **options: Any) -> subprocess.Popen[bytes]:
    """Begin to run a command with pipes."""
    return subprocess.Popen(
        [*COMMAND, *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(**options.pop('env', {})),
        **options,
    )


def install_script(folder: Path) -> Path:
    """Write the script that pip makes of the package's entry point."""
    script = folder / 'indexedredis'
    code = 'from IndexedRedis.__main__ import main\nmain()\n'
    script.write_text(f'#!{sys.executable}\n{code}')
    script.chmod(0o755)
    return script


def on_terminal(
    *args: Any,
    answers: dict[str, bytes] | None = None,
    program: Sequence[str] = COMMAND,
    env: dict[str, str] | None = None,
    **options: Any,
) -> tuple[int, str]:
    """Run a command in a terminal of its own, of 80x24; returns the status and all that was shown.

    :param answers: what to type after which text was shown
    """
    waiting = dict(answers or {})
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 80, 0, 0))
    variables = environment(**(env or {}))
    del variables['COLUMNS']
    with subprocess.Popen(
        [sys.executable, '-c', TAKE_TERMINAL, *program, *map(str, args)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=variables,
        start_new_session=True,
        **options,
    ) as process:
        os.close(theirs)
        try:
            seen = _talk(ours, waiting)
        except BaseException:
            process.kill()  # or leaving `with` waits for it
            raise
        os.close(ours)
    assert not waiting, f'never shown: {waiting}; shown was {seen.decode()}'
    return process.returncode, seen.decode('utf-8').replace('\r\n', '\n')


def lines_of(seen: str) -> list[str]:
    """The lines that a terminal showed, one after the other, without colours and blanks."""
    plain = re.sub(r'\x1b\[[0-9;?]*[A-Za-z]', '', seen)
    return [line.rstrip() for line in re.split(r'[\r\n]', plain) if line.strip()]


def _talk(terminal: int, waiting: dict[str, bytes]) -> bytes:
    """Answer what is asked, till the other end is closed; all that was shown."""
    seen, answer = b'', b''
    end = time.monotonic() + SECONDS
    with contextlib.suppress(OSError):  # the end of a terminal is an error on Linux
        while True:
            # Python loses a Ctrl-C that comes between its prompt and its reading; people who see
            # that nothing happens type it again.
            if not select.select([terminal], [], [], PATIENCE)[0]:
                assert time.monotonic() < end, f'still running; shown was {seen.decode()}'
                os.write(terminal, answer)
                continue
            piece = os.read(terminal, 65536)
            if not piece:
                break
            seen += piece
            for text in [text for text in waiting if text.encode() in seen]:
                answer = waiting.pop(text)
                os.write(terminal, answer)
    return seen
