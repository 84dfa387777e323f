"""On what something was measured."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import sys
from pathlib import Path
from typing import Any

__all__ = ('described', 'keep_apart', 'sentence')


_apart = False


def keep_apart(server: int) -> None:
    """Keep the server on one core, and this process with all that it starts on the others.

    Else chance says for each pair of processes whether they share a core, and that makes a trip to
    the server take 40 us or 120.

    :param server: the id of its process, which is a child of this one
    """
    global _apart
    if not hasattr(os, 'sched_setaffinity'):  # not Linux
        return
    first, *others = sorted(os.sched_getaffinity(0))
    if others:
        os.sched_setaffinity(server, {first})
        os.sched_setaffinity(0, others)
        _apart = True


def described(client: Any) -> dict[str, Any]:
    """The machine, the versions, the date and the arguments.

    :param client: of the server that was asked
    """
    server = client.info('server')
    kind = server.get('server_name', 'redis')
    return {
        'date': datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%d %H:%M UTC'),
        'arguments': sys.argv[1:],
        'machine': platform.platform(),
        'processor': _processor(),
        'cores': os.cpu_count(),
        'load': round(os.getloadavg()[0], 1) if hasattr(os, 'getloadavg') else None,
        'apart': _apart,
        'python': platform.python_version(),
        'server': f'{kind.capitalize()} {server.get("valkey_version", server["redis_version"])}',
        **{name: importlib.metadata.version(name) for name in ('redis', 'hiredis')},
    }


def sentence(on: dict[str, Any]) -> str:
    """The same for readers."""
    apart = 'server and subjects on cores of their own, ' if on.get('apart') else ''
    return (
        f'{on["date"]}, {on["cores"]} cores ({on["processor"]}), {apart}{on["server"]} over '
        f'loopback, Python {on["python"]}, redis-py {on["redis"]}, hiredis {on["hiredis"]}; load '
        f'of the machine when it began: {on["load"]}.'
    )


def _processor() -> str:
    try:
        lines = Path('/proc/cpuinfo').read_text('utf-8').splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = [line.split(':', 1)[1].strip() for line in lines if line.startswith('model name')]
    return named[0] if named else platform.machine()
