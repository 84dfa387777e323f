"""The commands that the demo names at its end. The rule: they work as printed, in this order."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

from ...embedded.process import free_port

__all__ = ('next_steps',)

SCRIPT = 'indexedredis'


def next_steps() -> list[tuple[str, str]]:
    """Return commands, each with what it is for."""
    name, url = program(), f'redis://127.0.0.1:{(port := free_port(0))}'
    return [
        (f'{name} demo --html demo.html', 'The same, as a page with charts:'),
        (f'{name} demo --cluster', 'Six nodes, of which one is killed while a reader reads:'),
        (f'{name} serve --port {port} --dir shop-data &', 'A server that keeps its data:'),
        (f'{name} demo --shop shop.sqlite', 'The shop as a SQLite file:'),
        (f'{name} scaffold sqlite:///shop.sqlite > shop.py', 'Models and a mirror of its tables:'),
        (f'{name} mirror shop:mirror --url {url}', 'One run of the mirror, as cron starts it:'),
        (f'{name} info shop:Track --url {url}', 'What is stored, and what it costs:'),
    ]


def program() -> str:
    """Return how this program is called: its script if that is on PATH, else by its Python."""
    python = Path(sys.executable)
    found = shutil.which(SCRIPT)
    if found and Path(found).parent == python.parent:
        return SCRIPT
    here = Path(os.path.relpath(python)) if python.is_relative_to(Path.cwd()) else python
    return f'{shlex.quote(str(here))} -m IndexedRedis'
