"""How long an import takes: in a new Python each time, from the clock inside it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .results import BY_HAND, OLD, US, Result, figure
from .workers import python_of

__all__ = ('measure',)

MODULES = {US: 'IndexedRedis', OLD: 'IndexedRedis', BY_HAND: 'redis', 'rom': 'rom'}
MODULES['walrus'] = 'walrus'
AIM = 4.0
CODE = (
    'import sys, time; sys.path[:0] = {path!r}; began = time.perf_counter(); import {module}; '
    'print(time.perf_counter() - began, "redis" in sys.modules)'
)


def measure(names: list[str], rounds: int) -> Result:
    """Milliseconds of ``import``, files being in the memory of the operating system."""
    taken: dict[str, list[float]] = {}
    for number in range(rounds + 1):
        for name in names:
            seconds, redis_too = _import(name)
            if number:
                taken.setdefault(name, []).append(seconds * 1000)
            if name == US:
                loaded = 'is part of it' if redis_too else 'follows at the first connection'
    figures = {name: figure(samples) for name, samples in taken.items()}
    note = f'By hand: import redis, which for {US} {loaded}. Python {sys.version.split()[0]}.'
    return Result('import', 'ms', figures, {OLD: AIM}, note=note)


def _import(name: str) -> tuple[float, bool]:
    """Seconds of one import, and whether redis-py was loaded by it."""
    python, *_ = python_of(name)
    path = [str(Path(__file__).parent.parent)] if name == US else []
    code = CODE.format(path=path, module=MODULES[name])
    seconds, redis_too = subprocess.check_output([python, '-I', '-c', code], text=True).split()
    return float(seconds), redis_too == 'True'
