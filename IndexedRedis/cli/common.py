"""What all commands share: options, errors, exit status.

The rule: exit status 0 means done, and an error is one line on standard error. A command is
written so::

    def main(run: Run, target: Annotated[str, typer.Argument(metavar='MODEL')]) -> int:
        '''Count the objects of a model.'''
        count = run.model(target).objects.count()
        run.print(f'{count:,} objects')  # for people; nothing with --json
        run.data({'objects': count})  # a line of JSON; nothing without --json
        return DONE if count else FOUND
"""

from __future__ import annotations

import _thread
import functools
import inspect
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, get_type_hints

import typer

from ..errors import MissingExtraError
from .completion import models
from .remedies import for_shell
from .run import CommandError, Refused, Run, console, show_text

__all__ = (
    'DONE',
    'FOUND',
    'CommandError',
    'ModelTarget',
    'Refused',
    'Run',
    'add_command',
    'asked_to_stop',
    'term_unwinds',
)

DONE, FOUND, FAILED = 0, 1, 2
INTERRUPTED, NOBODY_READS, TERMINATED = 130, 141, 143

Url = Annotated[
    str | None,
    typer.Option(
        '--url',
        metavar='URL',
        envvar='INDEXEDREDIS_URL',
        help='The server of models that name none of their own: redis://host:port/db, '
        'redis+cluster://host:port or sentinel://host:port,host:port/name.',
    ),
]
Json = Annotated[bool, typer.Option('--json', help='Print the results as JSON.')]
Debug = Annotated[bool, typer.Option('--debug', help='Show where an error comes from.')]
COMMON = {'url': Url, 'json': Json, 'debug': Debug}

# The first argument of most commands.
ModelTarget = Annotated[
    str, typer.Argument(metavar='MODEL', help='package.module:Name', autocompletion=models)
]

Command = Callable[..., 'int | None']


def add_command(
    app: typer.Typer, name: str, function: Command, without: tuple[str, ...] = ()
) -> None:
    """Make a function a command, with the common options ``--url``, ``--json``, ``--debug``.

    :param function: gets a :class:`Run` first; returns the exit status, None for 0
    :param without: common options that the command lacks
    """
    common = {option: kind for option, kind in COMMON.items() if option not in without}

    @functools.wraps(function)
    def wrapper(**values: Any) -> None:
        given = {option: values.pop(option) for option in common}
        raise typer.Exit(execute(function, given, values))

    own = list(inspect.signature(function).parameters.values())[1:]
    hints = get_type_hints(function, include_extras=True)
    kinds = {parameter.name: hints[parameter.name] for parameter in own}
    _set_signature(wrapper, own, {**kinds, **common})
    # Without it the list of the commands would show a part of the sentence.
    first = (inspect.getdoc(function) or '').partition('\n\n')[0]
    app.command(name, short_help=first)(wrapper)


def _set_signature(wrapper: Any, own: list[inspect.Parameter], kinds: dict[str, Any]) -> None:
    """Give a wrapper the signature that typer reads."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [each.replace(annotation=kinds[each.name], kind=keyword) for each in own]
    for option in kinds.keys() - {each.name for each in own}:
        default = None if option == 'url' else False
        parameters.append(
            inspect.Parameter(option, keyword, default=default, annotation=kinds[option])
        )
    order = list(kinds)
    parameters.sort(key=lambda each: order.index(each.name))
    del wrapper.__wrapped__
    wrapper.__signature__ = inspect.Signature(parameters)
    wrapper.__annotations__ = kinds


def execute(function: Command, common: dict[str, Any], values: dict[str, Any]) -> int:
    """Run a command, whatever it raises; return the exit status."""
    run = None
    try:
        with term_unwinds():
            run = Run(**common)
            status = function(run, **values)
            sys.stdout.flush()
            return DONE if status is None else status
    except (KeyboardInterrupt, typer.Abort):  # typer aborts where it asked a question
        print('interrupted', file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output is gone; without this, Python would complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOBODY_READS
    except MissingExtraError:
        raise  # __main__ says how to install all extras
    except Exception as error:
        if common['debug']:
            traceback.print_exc()
        text = for_shell(error, run.models if run else ())
        show_text(console(stderr=True), f'error: {text}')
        return error.status if isinstance(error, CommandError) else FAILED


@contextmanager
def term_unwinds() -> Iterator[None]:
    """Let a SIGTERM unwind the stack, as Ctrl-C does; by default it ends Python on the spot."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(TERMINATED))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def asked_to_stop(stop: threading.Event | None = None) -> Iterator[threading.Event]:
    """Yield an event that Ctrl-C and SIGTERM set. A second one does what it did before.

    :param stop: the event; None: a new one
    """
    stop = stop or threading.Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def ask(number: int, frame: Any) -> None:
        # In a thread: the code that the signal interrupts may be in wait(), and hold the lock that
        # set() needs.
        _thread.start_new_thread(stop.set, ())
        restore()

    for number in before:
        signal.signal(number, ask)
    try:
        yield stop
    finally:
        restore()
