"""Say what machine a run has, put its processes on cores, and read their CPU clocks."""

import datetime
import importlib.metadata
import os
import platform
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, 'sched_setaffinity') else []


def place(server: int | None, how: str) -> bool:
    """Put the server, and this process with all that it starts, on cores. Linux only.

    Left to chance, two processes share a core or not, and a round trip takes 40 us or 120.

    :param server: the server's process, which is a child of this one
    :param how: ``apart`` (the server has a core of its own), ``together`` (all on one core) or
        ``free``
    :returns: whether the server has a core of its own
    """
    if server is None or len(CORES) < 2:
        return False
    one, rest = CORES[:1], CORES[1:]
    theirs, ours = {'apart': (one, rest), 'together': (one, one), 'free': (CORES, CORES)}[how]
    os.sched_setaffinity(server, theirs)
    os.sched_setaffinity(0, ours)
    return how == 'apart'


def come_first(server: int | None) -> None:
    """Have a server run before other processes if allowed, so that waits are its own."""
    if server:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, server, -20)


def describe(client: Any, apart: bool) -> dict[str, Any]:
    """Return date, machine and versions.

    :param apart: what :func:`place` returned
    """
    server, about = client.info('server'), Path('/proc/cpuinfo')
    kind = server.get('server_name', 'redis').capitalize()
    lines = about.read_text('utf-8').splitlines() if about.exists() else []
    names = (line.partition(': ')[2] for line in lines if line.startswith('model name'))
    return {
        'date': datetime.datetime.now(datetime.UTC).strftime('%Y-%m-%d %H:%M UTC'),
        'arguments': sys.argv[1:],
        'machine': platform.platform(),
        'processor': next(names, platform.processor() or platform.machine()),
        'cores': os.cpu_count(),
        'load': round(os.getloadavg()[0], 1),
        'apart': apart,
        'python': platform.python_version(),
        'server': f'{kind} {server.get("valkey_version", server["redis_version"])}',
        **{name: importlib.metadata.version(name) for name in ('redis', 'hiredis')},
    }


def sentence(on: dict[str, Any]) -> str:
    """Return a description for readers."""
    apart = 'server and subjects on cores of their own, ' if on['apart'] else ''
    return (
        f'{on["date"]}, {on["cores"]} cores ({on["processor"]}), {apart}{on["server"]} over '
        f'loopback, Python {on["python"]}, redis-py {on["redis"]}, hiredis {on["hiredis"]}; load '
        f'of the machine when it began: {on["load"]}.'
    )


def cpu_seconds(pid: int) -> float:
    """Return how long the present threads of a process have been on a processor; Linux only."""
    total = 0
    for thread in Path(f'/proc/{pid}/task').glob('*/schedstat'):
        with suppress(OSError):  # the thread ended meanwhile
            total += int(thread.read_text('ascii').split()[0])
    return total / 1e9


def own_seconds() -> float:
    """Return the CPU seconds of this process and of the commands it ran."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def main_thread_seconds(client: Any) -> float:
    """Return the CPU seconds of the main thread of a client's Redis server so far."""
    cpu = client.info('cpu')
    names = ('used_cpu_user_main_thread', 'used_cpu_sys_main_thread')
    return sum(cpu.get(name, cpu[name.removesuffix('_main_thread')]) for name in names)
