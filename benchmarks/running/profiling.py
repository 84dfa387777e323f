"""Split the time of a task: client CPU, server CPU, and the rest, which is the wire and waiting.

The three are measured over many runs without a profiler. cProfile slows Python down more than C, so
it only names the functions of the client's share.
"""

import cProfile
import io
import pstats
import time
from collections.abc import Callable
from typing import Any

FUNCTIONS = 25
MEASURING = {'info', 'config|resetstat', 'config|set', 'flushdb', 'ping'}  # commands of ours


def longest_command(client: Any) -> tuple[float, str]:
    """Return the longest command since CONFIG RESETSTAT: seconds on the server, and its name."""
    prefix = 'latency_percentiles_usec_'
    commands = [
        (each['p100'] / 1e6, name.removeprefix(prefix))
        for name, each in client.info('latencystats').items()
    ]
    return max((each for each in commands if each[1] not in MEASURING), default=(0.0, 'none'))


def profile(
    prepare: Callable[[], Callable[[], Any]], client: Any, seconds: float
) -> dict[str, Any]:
    """Run what ``prepare`` returns for so many seconds, then once under cProfile.

    :returns: ``runs``, the seconds they took (``wall``) and those of ``client`` and ``server``
        CPU, ``commands`` (calls and microseconds by name), ``functions`` (the profile's text)
    """
    wall = cpu = server = 0.0
    runs = 0
    commands: dict[str, list[float]] = {}
    while not runs or wall < seconds:
        run = prepare()
        client.config_resetstat()
        before = _server_seconds(client), time.process_time(), time.perf_counter()
        run()
        wall += time.perf_counter() - before[2]
        cpu += time.process_time() - before[1]
        server += _server_seconds(client) - before[0]
        runs += 1
        for name, stats in client.info('commandstats').items():
            counted = commands.setdefault(name.removeprefix('cmdstat_'), [0, 0])
            counted[0] += stats['calls']
            counted[1] += stats['usec']
    return {
        'runs': runs,
        'wall': wall,
        'client': cpu,
        'server': server,
        'commands': {name: each for name, each in commands.items() if name not in MEASURING},
        'functions': _functions(prepare()),
    }


def _server_seconds(client: Any) -> float:
    """Return the CPU seconds of the server's main thread so far."""
    cpu = client.info('cpu')
    names = ('used_cpu_user_main_thread', 'used_cpu_sys_main_thread')
    return sum(cpu.get(name, cpu[name.removesuffix('_main_thread')]) for name in names)


def _functions(run: Callable[[], Any]) -> str:
    text = io.StringIO()
    with cProfile.Profile() as profiler:
        run()
    pstats.Stats(profiler, stream=text).strip_dirs().sort_stats('tottime').print_stats(FUNCTIONS)
    return text.getvalue()
