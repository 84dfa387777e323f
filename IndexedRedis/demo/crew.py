"""The worker processes of a web server, with a few threads each, as gunicorn would start them.

The rule: they end when the demo does, even if it is killed: their standard input ends then.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

__all__ = ('CLIENTS', 'PROCESSES', 'THREADS', 'Crew')

PROCESSES, THREADS = 4, 4
CLIENTS = PROCESSES * THREADS
PACKAGE = __package__
HOME = Path(__file__).parents[2]
SERVE = f'from {PACKAGE}.worker import serve; serve()'


class Crew:
    """Worker processes, which do the same at a time; a context manager."""

    def __init__(self, processes: int = PROCESSES) -> None:
        path = os.pathsep.join(filter(None, (str(HOME), os.environ.get('PYTHONPATH'))))
        self._processes = [
            subprocess.Popen(
                [sys.executable, '-c', SERVE],
                env={**os.environ, 'PYTHONPATH': path},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C reaches our process, which ends them
            )
            for _ in range(processes)
        ]

    def do(self, method: str, *args: Any) -> list[Any]:
        """Have each process do something, all at a time; return what they return.

        :param method: of :class:`IndexedRedis.demo.worker.Worker`
        :raises Exception: what one of them raised
        """
        for number, process in enumerate(self._processes):
            assert process.stdin
            pickle.dump((method, number, args), process.stdin)
            process.stdin.flush()
        results = [pickle.load(process.stdout) for process in self._processes if process.stdout]
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return results

    def close(self) -> None:
        """End the processes."""
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.communicate()

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
