"""Start the processes of subjects, and talk to them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from ..cache import ENVIRONMENTS, interpreter

ROOT = Path(__file__).parents[2]
WORKER = Path(__file__).with_name('worker.py')


class Process:
    """A subject in a process of its own.

    :param name: of the subject; the part before a comma decides which Python runs it
    :param module: whose ``serve(**config)`` the process serves
    :param library: the folder that this library is imported from
    :raises NotInstalled: if the subject's Python cannot be had
    """

    def __init__(
        self, name: str, module: str, config: dict[str, Any], library: Path = ROOT
    ) -> None:
        library_name = name.partition(',')[0]
        isolated = library_name in ENVIRONMENTS
        command = [str(interpreter(library_name)), '-I'] if isolated else [sys.executable]
        self.name = name
        self._process = subprocess.Popen(
            [*command, str(WORKER), name, f'benchmarks.{module}', json.dumps(config)],
            env={**os.environ, 'PYTHONPATH': str(library)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, *command: Any) -> Any:
        """Have a command done, and return its answer.

        :param command: a method of :class:`benchmarks.running.serving.Worker`, and its arguments
        """
        self.send(*command)
        return self.receive()

    def send(self, *command: Any) -> None:
        """Have a command done, whose answer :meth:`receive` will return."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(command) + '\n')
        self._process.stdin.flush()

    def receive(self) -> Any:
        """Return the next answer."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f'{self.name}: the process ended; its error stands above')
        return json.loads(line)

    def stop(self) -> None:
        """End the process."""
        self._process.communicate()
