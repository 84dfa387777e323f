"""Time the same work by this library, by 6.0.3, by redis-py by hand, by other mappers and by SQL.

What that needs is fetched through pip into a folder of the user's cache; the server is one of its
own. Nothing is timed unless all subjects give the same answers. Ratios say how many times better
this library is.
"""

import argparse
from pathlib import Path
from typing import Any

from . import cache, docs, machine, table
from .groups import DEFAULT, GROUPS, results
from .results import BEFORE, BY_HAND, DATABASES, OLD, US, Group, save
from .running.run import Run, opened, say
from .sizes import SIZES

SUBJECTS = (US, OLD, BY_HAND, 'rom', 'walrus', *DATABASES)


def _parser() -> argparse.ArgumentParser:
    groups = '; '.join(f'{name}: {group.title}' for name, group in GROUPS.items())
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks', description=__doc__, epilog=f'Groups are {groups}.'
    )
    add = parser.add_argument
    add('groups', nargs='*', metavar='GROUP', help=f'what to measure; else {", ".join(DEFAULT)}')
    add('--quick', action='store_const', const='quick', dest='sizes', help='less of everything')
    parser.set_defaults(sizes='full')
    add('--sizes', choices=SIZES, help='how much, and how often')
    add('--data', choices=('flights', 'tracks'), default='flights', help='which rows')
    add('--subjects', nargs='+', choices=SUBJECTS, metavar='NAME', help='which subjects')
    add('--against', type=Path, metavar='FOLDER', help='compare with a checkout of this library')
    patterns = {'nargs': '+', 'default': [], 'metavar': 'PATTERN'}
    add('--only', **patterns, help='works whose name matches')
    add('--profile', **patterns, help='the same, and where the time of such works goes')
    add('--url', default='', help='an empty server to use, which is emptied at the end')
    add('--json', type=Path, metavar='FILE', help='write every sample there')
    add('--docs', action='store_true', help='make the tables and the chart of docs/ from the run')
    return parser


def main() -> None:
    """Measure, and show what was measured."""
    parser = _parser()
    options = parser.parse_args()
    options.groups = options.groups or list(DEFAULT)
    unknown = {*options.groups} - GROUPS.keys()
    if unknown:
        parser.error(f'unknown groups {", ".join(sorted(unknown))}; there are {", ".join(GROUPS)}')
    if options.against and not (options.against / 'IndexedRedis').is_dir():
        parser.error(f'--against: {options.against} holds no IndexedRedis folder')
    others = options.subjects or (() if options.against else SUBJECTS)
    compared = [BEFORE] if options.against else []
    options.subjects = [US, *compared, *(name for name in SUBJECTS[1:] if name in others)]
    groups = _run(options)
    if options.docs:
        docs.write(groups)


def _run(options: Any) -> dict[str, Group]:
    with opened(options) as run:
        measured = {name: _measure(run, name) for name in options.groups}
    groups = {name: group for name, group in measured.items() if group.results}
    path = options.json or cache.folder() / 'last.json'
    save(path, groups)
    say(f'every sample is in {path}')
    if options.against:
        results = [result for group in groups.values() for result in group.results]
        print('\n' + table.as_text('Against the other checkout:', table.against(results, BEFORE)))
    return groups


def _measure(run: Run, name: str) -> Group:
    """Measure a group, and print each result as soon as it is there."""
    measurement = GROUPS[name]
    apart = machine.place(run.server, measurement.cores)
    group = Group(machine.describe(run.client, apart), [])
    print(f'\n{name}: {measurement.title}. {machine.sentence(group.on)}')
    for result in results(name, run):
        group.results.append(result)
        cells = table.by_subject(result, measurement.bases)
        print('\n' + table.as_text(result.work, cells), flush=True)
        if result.note:
            print(result.note)
    return group


if __name__ == '__main__':
    main()
