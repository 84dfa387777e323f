"""``python -m benchmarks --profile WORK``: where the time of one operation goes."""

from __future__ import annotations

from typing import Any

from .results import US
from .suite import Run
from .workers import able
from .works import Work, everything, reset

__all__ = ('show_profile',)

SECONDS = 1.0


def show_profile(run: Run) -> None:
    """Print the shares of each subject, and the functions in which ours spends its own."""
    for work in [*run.works, everything(run.data, run.sizes), reset(run.sizes)]:
        if not run.wants(work.name):
            continue
        print(f'\n{work.name}: microseconds of each\n')
        print(f'{"":22} {"wall":>9} {"client":>9} {"server":>9} {"the rest":>9}  commands')
        for worker in able(work, run.workers):
            found = worker.ask('profile', work.task, work.args, SECONDS)
            print(f'{worker.name:22} {_shares(work, found)}', flush=True)
            if worker.name == US:
                functions = found['functions']
        print(f'\nFunctions of {US}, one run of {work.per} under cProfile:\n{functions}')


def _shares(work: Work, found: dict[str, Any]) -> str:
    one = 1e6 / (found['runs'] * work.per)
    wall, client, server = (found[name] * one for name in ('wall', 'client', 'server'))
    # Client and server overlap where chunks are in flight: the rest may then be below zero.
    shares = ''.join(f'{each:10,.1f}' for each in (wall, client, server, wall - client - server))
    count = found['runs'] * work.per
    commands = ', '.join(
        f'{calls / count:.3g} {name} of {usec / calls:,.1f}'
        for name, (calls, usec) in sorted(found['commands'].items(), key=lambda each: -each[1][1])
        if calls >= count / 100
    )
    return f'{shares}  {commands}'
