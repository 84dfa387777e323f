"""``admin``: the admin page of some models, until Ctrl-C or SIGTERM.

The rule: only this machine can reach it, unless a token is given, which each request must bring.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Any

import typer

from ..common import CommandError, Run
from ..completion import mirrors, models

__all__ = ('main',)

PORT = 8642


def main(
    run: Run,
    targets: Annotated[
        list[str],
        typer.Argument(
            metavar='MODELS',
            help='package.module, for all its models, or one: package.module:Name',
            autocompletion=models,
        ),
    ],
    mirror: Annotated[
        list[str] | None,
        typer.Option(
            '--mirror',
            metavar='MIRROR',
            help='package.module:name; several times.',
            autocompletion=mirrors,
        ),
    ] = None,
    write: Annotated[
        bool, typer.Option('--write', help='Allow changes; without it the pages only read.')
    ] = False,
    host: Annotated[
        str, typer.Option('--host', help='Address to listen on; other machines need a token.')
    ] = '127.0.0.1',
    port: Annotated[
        int, typer.Option('--port', metavar='N', min=0, max=65535, help='TCP port; 0: a free one.')
    ] = PORT,
    token: Annotated[
        str | None,
        typer.Option(
            '--token',
            envvar='INDEXEDREDIS_ADMIN_TOKEN',
            show_envvar=True,
            help='What each request must bring. Better in the variable, which others cannot read.',
        ),
    ] = None,
) -> None:
    """Browse models in a web browser, until Ctrl-C or SIGTERM.

    Exit status 0: you stopped it; 2: it did not start.
    """
    from ...admin.gate import is_loopback

    if token is None and not is_loopback(host):
        raise CommandError(
            f'--host {host} lets other machines read the data. Give a token too, in the variable '
            'INDEXEDREDIS_ADMIN_TOKEN.'
        )
    shown_models = [model for target in targets for model in run.models_of(target)]
    shown_mirrors = {name: run.mirror(name) for name in mirror or ()}
    app = _application(shown_models, shown_mirrors, write, token)
    with socket.create_server((host, port), family=_family(host)) as listening:
        # Connections inherit it. asyncio sets it for sockets that it makes itself; without it an
        # answer of two packets can wait 40 ms between them.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        number = listening.getsockname()[1]
        shown = f'[{host}]' if ':' in host else host
        address = f'http://{shown}:{number}/'
        run.print(address)
        run.data({'url': address})
        run.log(f'{"writing is allowed" if write else "read-only"}; Ctrl-C ends it')
        _serve(app, listening)
    run.log('stopped')


def _application(models: list[Any], mirrors: dict[str, Any], write: bool, token: str | None) -> Any:
    from starlette.applications import Starlette

    from ... import aclose
    from ...admin import mount

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        yield
        await aclose()

    app = Starlette(lifespan=lifespan)
    mount(app, models, mirrors, path='', readOnly=not write, token=token)
    return app


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ':' in host else socket.AF_INET


def _serve(app: Any, listening: socket.socket) -> None:
    """Serve until a signal; uvicorn raises it again when it has ended."""
    import uvicorn

    # No access log: an address may hold values. No X-Forwarded-For: anybody could send one.
    config = uvicorn.Config(
        app, log_level='warning', access_log=False, proxy_headers=False, server_header=False
    )
    with suppress(KeyboardInterrupt, SystemExit):
        uvicorn.Server(config).run(sockets=[listening])
