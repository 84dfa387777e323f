"""Start the processes of subjects, and have them carry out commands."""

import os
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from importlib import import_module
from multiprocessing import get_context, parent_process
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

    def ask(self, *command: Any) -> Any:
        """Carry out a command, and return its answer."""
        return self.send(*command)()

    def send(self, *command: Any) -> Callable[[], Any]:
        """Begin a command: a method of what ``serve`` returned, and its arguments.

        :returns: waits for its answer
        """
        return partial(self._answer, self._pool.submit(_carry_out, *command))

    def _answer(self, sent: Future[Any]) -> Any:
        try:
            return sent.result()
        except BrokenProcessPool:
            raise SystemExit(f'{self.name}: the process ended') from None


def _serve(module: str, config: dict[str, Any], library: str) -> None:
    global _served
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.path.insert(0, library)
    os.environ['PYTHONPATH'] = library  # of commands
    sys.stdout = sys.stderr  # a subject may print
    _served = import_module(module).serve(**config)


def _end_with_parent() -> None:
    """End this process when the parent was killed: its queue would never tell."""
    parent = parent_process()
    assert parent
    parent.join()
    os._exit(1)


def _carry_out(name: str, *arguments: Any) -> Any:
    try:
        return getattr(_served, name)(*arguments)
    except Exception:  # the parent may lack its class
        raise RuntimeError(traceback.format_exc()) from None
