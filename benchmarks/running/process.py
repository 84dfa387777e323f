"""Start the processes of subjects, and have them carry out commands."""

import os
import sys
from concurrent.futures import Future, ProcessPoolExecutor
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_served: Any = None  # what this process serves


class Process:
    """A subject in a process of its own.

    :param name: of the subject
    :param module: of ``benchmarks``, whose ``serve(**config)`` carries out commands there
    :param library: the folder that the subject is imported from
    """

    def __init__(
        self, name: str, module: str, config: dict[str, Any], library: Path = ROOT
    ) -> None:
        self.name, given = name, (f'benchmarks.{module}', config, str(library.resolve()))
        self._pool = ProcessPoolExecutor(1, get_context('spawn'), _serve, given)
        self.stop = self._pool.shutdown

    def send(self, *command: Any) -> Future[Any]:
        """Begin a command: a method of what ``serve`` returned, and its arguments."""
        return self._pool.submit(_carry_out, *command)

    def ask(self, *command: Any) -> Any:
        """Carry out a command, and return its answer."""
        return self.send(*command).result()


def _serve(module: str, config: dict[str, Any], library: str) -> None:
    global _served
    sys.path.insert(0, library)
    os.environ['PYTHONPATH'] = library  # of commands
    sys.stdout = sys.stderr  # a subject may print
    _served = import_module(module).serve(**config)


def _carry_out(name: str, *arguments: Any) -> Any:
    return getattr(_served, name)(*arguments)
