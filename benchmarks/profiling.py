"""Where the time of a task goes: client CPU, server CPU, and what is left, the wire and waiting.

The rule: the three are measured over many runs without a profiler; cProfile, which slows down
Python more than C, only says afterwards which functions the client's share is in.
"""

from __future__ import annotations

import cProfile
import io
import pstats
import time
from collections.abc import Callable
from typing import Any

__all__ = ('longest_command', 'profile', 'server_seconds')

TOP = 25
#: commands that are asked here
OWN = {'info', 'config|resetstat', 'config|set', 'flushdb'}


def server_seconds(client: Any) -> float:
    """CPU seconds that the server's main thread has used so far."""
    cpu = client.info('cpu')
    names = ('used_cpu_user_main_thread', 'used_cpu_sys_main_thread')
    return sum(cpu.get(name, cpu[name.removesuffix('_main_thread')]) for name in names)


def longest_command(client: Any) -> tuple[float, str]:
    """The longest single command since CONFIG RESETSTAT: seconds on the server, and its name."""
    prefix = 'latency_percentiles_usec_'
    found = {
        name.removeprefix(prefix): each['p100'] / 1e6
        for name, each in client.info('latencystats').items()
        if name.removeprefix(prefix) not in OWN
    }
    return max(((seconds, name) for name, seconds in found.items()), default=(0.0, 'none'))


def profile(prepare: Callable[[], Callable[[], Any]], client: Any, seconds: float) -> Any:
    """Run what ``prepare`` returns for so many seconds, then once more under cProfile.

    :return: runs, their seconds, of these client and server CPU, calls and microseconds by command
        and the text of the profile
    """
    wall = cpu = server = 0.0
    runs = 0
    commands: dict[str, list[float]] = {}
    while not runs or wall < seconds:
        run = prepare()
        client.config_resetstat()
        before = server_seconds(client), time.process_time(), time.perf_counter()
        run()
        wall += time.perf_counter() - before[2]
        cpu += time.process_time() - before[1]
        server += server_seconds(client) - before[0]
        runs += 1
        _add(commands, client.info('commandstats'))
    return {
        'runs': runs,
        'wall': wall,
        'client': cpu,
        'server': server,
        'commands': commands,
        'functions': _functions(prepare()),
    }


def _add(commands: dict[str, list[float]], stats: dict[str, dict[str, Any]]) -> None:
    """Add calls and microseconds by command, but for those asked here."""
    for name in stats.keys() - {f'cmdstat_{name}' for name in OWN}:
        counted = commands.setdefault(name.removeprefix('cmdstat_'), [0, 0])
        counted[0] += stats[name]['calls']
        counted[1] += stats[name]['usec']


def _functions(run: Callable[[], Any]) -> str:
    text = io.StringIO()
    with cProfile.Profile() as profiler:
        run()
    pstats.Stats(profiler, stream=text).strip_dirs().sort_stats('tottime').print_stats(TOP)
    return text.getvalue()
