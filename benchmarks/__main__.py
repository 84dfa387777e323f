"""``python -m benchmarks``: the same work by this library, by 6.0.3, by hand and by other ORMs.

What it needs is fetched through pip into a folder of the user's cache; it starts a server of its
own. All subjects must give the same answers, or nothing is timed. Ratios say how many times better
this library is.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from pathlib import Path

import redis

from . import cache, machine, report, table
from .profiled import show_profile
from .results import US, Result
from .suite import Run, Wanted, opened, say
from .workers import SUBJECTS
from .works import SIZES


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='python -m benchmarks', description=__doc__)
    add = parser.add_argument
    add('--quick', action='store_const', const='quick', dest='sizes', help='less of everything')
    parser.set_defaults(sizes='full')
    add('--sizes', choices=SIZES, help='how much, and how often')
    add('--data', choices=('flights', 'tracks'), default='flights', help='which rows')
    add('--subjects', nargs='+', choices=SUBJECTS, default=SUBJECTS, metavar='NAME')
    add('--only', default='', metavar='PATTERN', help='works whose name matches')
    add('--profile', metavar='WORK', help='where the time of such works goes, instead of timing')
    add('--url', default='', help='an empty server to use, which is emptied at the end')
    add('--cache', metavar='FOLDER', help='where to keep what is fetched')
    add('--json', type=Path, metavar='FILE', help='write every sample there')
    add('--docs', action='store_true', help='make the tables and the chart of docs/ from the run')
    add('--from', type=Path, dest='source', metavar='FILE', help='a JSON file instead of a run')
    return parser


def main() -> None:
    """Run all of it."""
    options = _parser().parse_args()
    if options.cache:
        os.environ['INDEXEDREDIS_BENCHMARKS_CACHE'] = options.cache
    source = options.source
    if not source:
        wanted = Wanted(
            options.sizes, options.data,
            tuple(each for each in SUBJECTS if each in {US, *options.subjects}),
            options.profile or options.only, options.url,
        )  # fmt: skip
        with opened(wanted) as run:
            if options.profile:
                return show_profile(run)
            source = options.json or cache.folder() / 'last.json'
            _measure(run, source)
    if options.docs:
        report.write_docs(source)
    return None


def _measure(run: Run, path: Path) -> None:
    on = machine.described(redis.Redis(**run.connection))
    print(machine.sentence(on), *run.missing, sep='\n')
    groups: dict[str, list[Result]] = {}
    groups['operations'] = _shown(run.operations())
    groups['growth'] = _shown(run.growth())
    groups['asyncio'] = _shown(run.asyncio())
    path.parent.mkdir(parents=True, exist_ok=True)
    report.save(path, on, {name: results for name, results in groups.items() if results})
    say(f'every sample is in {path}')


def _shown(results: Iterable[Result]) -> list[Result]:
    kept = []
    for result in results:
        print('\n' + table.line(result), flush=True)
        kept.append(result)
    return kept


if __name__ == '__main__':
    main()
