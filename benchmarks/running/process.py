"""Start the processes of subjects, and talk to them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
# 6.0.3 and another checkout are imported before the path leads to this one.
SERVE = """
import json, sys
name, module, config, root = sys.argv[1:]
if name.startswith(('6.0.3', 'before')):
    import IndexedRedis
sys.path.insert(0, root)
from benchmarks.running.served import serve
serve(module, json.loads(config))
"""


class Process:
    """A subject in a process of its own.

    :param name: of the subject
    :param module: of ``benchmarks``, whose ``serve(**config)`` the process serves
    :param library: the folder that the subject is imported from
    """

    def __init__(
        self, name: str, module: str, config: dict[str, Any], library: Path = ROOT
    ) -> None:
        what = [name, f'benchmarks.{module}', json.dumps(config), str(ROOT)]
        self.name = name
        self._process = subprocess.Popen(
            [sys.executable, '-P', '-c', SERVE, *what],
            env={**os.environ, 'PYTHONPATH': str(library.resolve())},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = self._process.pid

    def ask(self, *command: Any) -> Any:
        """Have a command done, and return its answer.

        :param command: a method of what the process serves, and its arguments
        """
        self.send(*command)
        return self.receive()

    def send(self, *command: Any) -> None:
        """Have a command done, whose answer :meth:`receive` will return."""
        assert self._process.stdin
        print(json.dumps(command), file=self._process.stdin, flush=True)

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
