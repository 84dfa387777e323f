"""Start the processes of subjects, and talk to them."""

import os
import sys
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


class Process:
    """A subject in a process of its own.

    :param name: of the subject
    :param module: of ``benchmarks``, whose ``serve(**config)`` the process serves
    :param library: the folder that the subject is imported from
    """

    def __init__(
        self, name: str, module: str, config: dict[str, Any], library: Path = ROOT
    ) -> None:
        self.name, spawn = name, get_context('spawn')
        self._pipe, theirs = spawn.Pipe()
        what = (theirs, f'benchmarks.{module}', config, str(library.resolve()))
        self._process = spawn.Process(target=_serve, args=what)
        self._process.start()
        theirs.close()
        self.pid = self._process.pid

    def ask(self, *command: Any) -> Any:
        """Have a command done, and return its answer.

        :param command: a method of what the process serves, and its arguments
        """
        self.send(*command)
        return self.receive()

    def send(self, *command: Any) -> None:
        """Have a command done, whose answer :meth:`receive` will return."""
        self._pipe.send(command)

    def receive(self) -> Any:
        """Return the next answer."""
        try:
            return self._pipe.recv()
        except EOFError:
            raise SystemExit(f'{self.name}: the process ended; its error stands above') from None

    def stop(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.join()


def _serve(pipe: Any, module: str, config: dict[str, Any], library: str) -> None:
    """Carry out commands until the pipe ends."""
    sys.path.insert(0, library)
    os.environ['PYTHONPATH'] = library  # of commands
    sys.stdout = sys.stderr  # a subject may print
    served = import_module(module).serve(**config)
    while True:
        try:
            name, *arguments = pipe.recv()
        except EOFError:
            return
        pipe.send(getattr(served, name)(*arguments))
