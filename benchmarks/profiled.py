"""Show where the time of an operation goes: ``python -m benchmarks --profile WORK``."""

from typing import Any

from .results import US
from .rows.measure import crew
from .run import Run
from .running.work import Work
from .table import as_text

SECONDS = 1.0


def show_profile(run: Run) -> None:
    """Print the shares of each subject, and the functions of this library's share."""
    able = {process: process.ask('works', 'operations') for process in crew(run)}
    for plan in able[crew(run)[0]]:
        work = Work(**plan)
        if work.how != 'sample' or not run.wants(work.name):
            continue
        cells = [['subject', 'wall, us', 'client', 'server', 'the rest', 'commands']]
        functions = ''
        for process in (process for process, plans in able.items() if plan in plans):
            profile = process.ask('profile', work.name, SECONDS)
            cells.append([process.name, *_shares(work, profile)])
            functions = profile['functions'] if process.name == US else functions
        print('\n' + as_text(work.name, cells))
        print(f'\nFunctions of {US}, one run of {work.per} under cProfile:\n{functions}')


def _shares(work: Work, profile: dict[str, Any]) -> list[str]:
    count = profile['runs'] * work.per
    wall, client, server = (1e6 * profile[name] / count for name in ('wall', 'client', 'server'))
    commands = ', '.join(
        f'{calls / count:.3g} {name} of {usec / calls:,.1f}'
        for name, (calls, usec) in sorted(profile['commands'].items(), key=lambda each: -each[1][1])
        if calls >= count / 100
    )
    # Client and server overlap where chunks are in flight: the rest may then be below zero.
    shares = (wall, client, server, wall - client - server)
    return [*(f'{each:,.1f}' for each in shares), commands]
