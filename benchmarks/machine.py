"""On what something was measured."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import sys
from pathlib import Path
from typing import Any

__all__ = ('described', 'sentence')


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
        'python': platform.python_version(),
        'server': f'{kind.capitalize()} {server.get("valkey_version", server["redis_version"])}',
        **{name: importlib.metadata.version(name) for name in ('redis', 'hiredis')},
    }


def sentence(on: dict[str, Any]) -> str:
    """The same for readers."""
    return (
        f'{on["date"]}, {on["cores"]} cores ({on["processor"]}), {on["server"]} over loopback, '
        f'Python {on["python"]}, redis-py {on["redis"]}, hiredis {on["hiredis"]}; load of the '
        f'machine when it began: {on["load"]}.'
    )


def _processor() -> str:
    try:
        lines = Path('/proc/cpuinfo').read_text('utf-8').splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = [line.split(':', 1)[1].strip() for line in lines if line.startswith('model name')]
    return named[0] if named else platform.machine()
