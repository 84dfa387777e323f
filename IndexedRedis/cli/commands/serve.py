"""``serve``: the embedded server in the foreground.

The rule: it ends in order, with all its data in files if it has a folder, on Ctrl-C and SIGTERM.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from ... import embedded
from ..common import CommandError, Run, command

__all__ = ('register',)

# Seconds between two looks whether the server still runs.
LOOK = 1.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, without=('url',))(serve)


def serve(
    run: Run,
    port: Annotated[
        int | None,
        typer.Option('--port', metavar='N', min=1, max=65535, help='TCP port; else a free one.'),
    ] = None,
    folder: Annotated[
        str | None,
        typer.Option('--dir', metavar='PATH', help='Keep the data here; else nowhere.'),
    ] = None,
) -> None:
    """Run a Valkey of your own until Ctrl-C or SIGTERM.

    It listens on 127.0.0.1 only and asks no password: every user of the machine can reach it.

    Exit status 0: it was stopped; 2: it did not start, or ended by itself.
    """
    with _asked_to_stop() as stop, embedded.start(folder, port) as server:
        kept = f'data in {server.path}' if server.path else 'a throw-away: no data on disk'
        run.print(server.url)
        run.data({'url': server.url, 'dir': str(server.path) if server.path else None})
        run.log(f'{kept}; Ctrl-C ends it')
        while not stop.wait(LOOK):
            if not server.running:
                raise CommandError('the server has ended by itself')
    run.log('stopped')


@contextmanager
def _asked_to_stop() -> Iterator[threading.Event]:
    """Ctrl-C and SIGTERM set the event, and do nothing else."""
    stop = threading.Event()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda number, frame: stop.set()) for number in numbers]
    try:
        yield stop
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
