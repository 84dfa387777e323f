"""One run of a command: its common options, and where it prints.

The rule: standard output holds the results only, as text for people or as JSON (``--json``).
Progress, logs and errors go to standard error.
"""

from __future__ import annotations

import json as json_module
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from rich.console import Console
from rich.text import Text

from .. import setDefaultRedisConnectionParams
from ..connections.params import check_params, without_url
from ..errors import ConnectionSetupError, IndexedRedisError
from . import targets
from .progress import Progress, progress

__all__ = ('CommandError', 'Refused', 'Run', 'console', 'show_text')

# Spaces before the rest of a line that is wrapped.
CONTINUED = 2


class CommandError(IndexedRedisError):
    """Ends a command with one line of text and an exit status.

    :param status: the exit status; 2 means that the command failed
    """

    def __init__(self, text: str, status: int = 2) -> None:
        super().__init__(text)
        self.status = status


class Refused(CommandError):
    """Ends a command with exit status 1: the command could do it, and refuses."""

    def __init__(self, text: str) -> None:
        super().__init__(text, 1)


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Re-raise the error; rich would end the program with status 1."""
        raise  # noqa: PLE0704  (called while the error is handled)


def console(stderr: bool) -> Console:
    """Return standard output or standard error as a console of rich."""
    return _Console(highlight=False, soft_wrap=True, markup=False, emoji=False, stderr=stderr)


def show_text(console: Console, text: str) -> None:
    """Print a text; on a terminal, wrap each line between words, and indent what continues it."""
    if not console.is_terminal:
        console.print(text)
        return
    for line in text.split('\n'):
        content = line.lstrip(' ')
        indent = min(len(line) - len(content), console.width // 2)
        wrapped = Text(content).wrap(console, console.width - indent - CONTINUED)
        for number, part in enumerate(wrapped or [Text()]):
            spaces = indent + (CONTINUED if number else 0)
            console.print(' ' * spaces + part.plain.rstrip())


class Run:
    """What a command works with.

    :param url: the server of models that name none of their own; None: the default
    :param json: whether to print results as JSON
    :param debug: whether errors show their traceback
    """

    def __init__(self, url: str | None = None, json: bool = False, debug: bool = False) -> None:
        self.url, self.json, self.debug = url, json, debug
        #: the models that the command has loaded
        self.models: list[Any] = []
        #: standard output and standard error as consoles of rich
        self.out, self.err = console(stderr=False), console(stderr=True)
        self._use_url()

    def _use_url(self) -> None:
        """Make ``--url`` the default connection, whatever an imported module set."""
        if self.url is None:
            return
        if not self.url:
            raise CommandError('--url is empty. Leave it out, or give redis://host:port/db.')
        try:
            check_params(without_url({'url': self.url}))  # or the first command would raise
            setDefaultRedisConnectionParams({'url': self.url})
        except ConnectionSetupError as error:
            typed = any(word.partition('=')[0] == '--url' for word in sys.argv)
            source = '--url' if typed else 'The variable INDEXEDREDIS_URL'
            raise CommandError(f'{source}: {error}') from None

    def load(self, target: str) -> Any:
        """Import what ``package.module:name`` names."""
        named = targets.load(target)
        self._use_url()
        return named

    def mirror(self, target: str) -> Any:
        """Import the mirror that ``package.module:mirror`` names."""
        mirror = targets.load_mirror(target)
        self._use_url()
        return mirror

    def model(self, target: str) -> Any:
        """Import the model that ``package.module:Model`` names."""
        model = targets.load_model(target)
        self.models.append(model)
        self._use_url()
        return model

    def models_of(self, target: str) -> list[Any]:
        """Import the models of ``package.module``, or the one of ``package.module:Model``."""
        models = targets.load_models(target)
        self._use_url()
        self.models += models
        return models

    def print(self, *what: Any) -> None:
        """Print results for people, text or tables of rich; nothing with ``--json``."""
        if not self.json:
            for each in what:
                if isinstance(each, str):
                    show_text(self.out, each)
                else:
                    self.out.print(each, soft_wrap=False)

    def data(self, value: Any) -> None:
        """Print results for programs, one line of JSON; nothing without ``--json``."""
        if self.json:
            sys.stdout.write(json_module.dumps(value, ensure_ascii=False, default=str) + '\n')
            sys.stdout.flush()

    def log(self, text: str) -> None:
        """Print a message to standard error."""
        show_text(self.err, text)

    def hint(self, text: str) -> None:
        """Print a message to standard error if a person sees it, on a terminal."""
        if self.err.is_terminal:
            self.log(text)

    def progress(self, what: str = '', shown: bool = True) -> AbstractContextManager[Progress]:
        """Return a progress bar on a terminal, else plain lines; see :mod:`.progress`.

        :param what: stands before the name of each step
        :param shown: whether to show anything
        """
        if shown:
            return progress(self.err, what)
        return nullcontext(lambda step, done, total: None)

    @property
    def charts(self) -> bool:
        """Whether standard output shows bars: a terminal of Unicode."""
        return self.out.is_terminal and not self.out.options.ascii_only

    @property
    def interactive(self) -> bool:
        """Whether a person can answer questions."""
        return sys.stdin.isatty() and sys.stderr.isatty()
