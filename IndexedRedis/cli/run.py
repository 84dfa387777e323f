"""One run of a command: what was asked of it in the common options, and where it reports.

The rule: standard output holds the results and nothing else, as text for people or, with
``--json``, as JSON; progress, logs and errors go to standard error.
"""

from __future__ import annotations

import json as json_module
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from rich.console import Console

from .. import setDefaultRedisConnectionParams
from ..errors import IndexedRedisError
from . import targets
from .progress import Progress, progress

__all__ = ('CommandError', 'Refused', 'Run')


class CommandError(IndexedRedisError):
    """Ends a command with one line of text and an exit status.

    :param status: the exit status; 2 means that it failed
    """

    def __init__(self, text: str, status: int = 2) -> None:
        super().__init__(text)
        self.status = status


class Refused(CommandError):
    """Ends a command with exit status 1: it could have been done, but was refused."""

    def __init__(self, text: str) -> None:
        super().__init__(text, 1)


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Let the error through; rich would end the program with status 1."""
        raise  # noqa: PLE0704  (called while the error is handled)


def _console(stderr: bool) -> Console:
    return _Console(highlight=False, soft_wrap=True, markup=False, emoji=False, stderr=stderr)


class Run:
    """What a command works with.

    :param url: where models live that name no server of their own; None: the default
    :param json: whether the results are to be JSON
    :param debug: whether errors are to show where they come from
    """

    def __init__(self, url: str | None = None, json: bool = False, debug: bool = False) -> None:
        self.url, self.json, self.debug = url, json, debug
        #: standard output and standard error as consoles of rich
        self.out, self.err = _console(stderr=False), _console(stderr=True)
        self.use_url()

    def use_url(self) -> None:
        """Make the server of ``--url`` the default connection, whatever a module set."""
        if self.url:
            setDefaultRedisConnectionParams({'url': self.url})

    def load(self, target: str) -> Any:
        """Import what ``package.module:name`` names."""
        found = targets.load(target)
        self.use_url()
        return found

    def model(self, target: str) -> Any:
        """Import the model that ``package.module:Model`` names."""
        found = targets.load_model(target)
        self.use_url()
        return found

    def print(self, *what: Any) -> None:
        """Show results to people: text, or tables of rich. With ``--json`` nothing."""
        if not self.json:
            self.out.print(*what)

    def data(self, value: Any) -> None:
        """Give results to programs: one line of JSON. Without ``--json`` nothing."""
        if self.json:
            sys.stdout.write(json_module.dumps(value, ensure_ascii=False, default=str) + '\n')
            sys.stdout.flush()

    def log(self, text: str) -> None:
        """Tell how it goes, on standard error."""
        self.err.print(text)

    def progress(self, what: str = '', shown: bool = True) -> AbstractContextManager[Progress]:
        """A bar on a terminal, else a line now and then; see :mod:`.progress`.

        :param what: put before the name of each step
        :param shown: whether to show anything
        """
        if shown:
            return progress(self.err, what)
        return nullcontext(lambda step, done, total: None)

    @property
    def interactive(self) -> bool:
        """Whether somebody is there to answer a question."""
        return sys.stdin.isatty() and sys.stderr.isatty()
