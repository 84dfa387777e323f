"""``serve``: the embedded server in the foreground.

The rule: Ctrl-C and SIGTERM stop it in order; with a folder, all its data is in files then.
"""

from __future__ import annotations

from typing import Annotated

import typer

from ... import embedded
from ..common import CommandError, Run, asked_to_stop

__all__ = ('main',)

# Seconds between two checks whether the server still runs.
POLL_SECONDS = 1.0


def main(
    run: Run,
    port: Annotated[
        int | None,
        typer.Option('--port', metavar='N', min=1, max=65535, help='TCP port; default: a free one'),
    ] = None,
    folder: Annotated[
        str | None,
        typer.Option('--dir', metavar='PATH', help='Keep the data here; default: nowhere.'),
    ] = None,
) -> None:
    """Run a Valkey of your own until Ctrl-C or SIGTERM.

    It listens on 127.0.0.1 only and needs no password: every user of the machine can connect.

    Exit status 0: you stopped it; 2: it did not start, or ended by itself.
    """
    with asked_to_stop() as stop, embedded.start(folder, port) as server:
        data = f'data in {server.path}' if server.path else 'temporary: no data on disk'
        run.print(server.url)
        run.data({'url': server.url, 'dir': str(server.path) if server.path else None})
        run.log(f'{data}; Ctrl-C ends it')
        while not stop.wait(POLL_SECONDS):
            if not server.running:
                raise CommandError('the server has ended by itself')
    run.log('stopped')
