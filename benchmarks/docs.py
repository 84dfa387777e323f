"""Make the tables and the charts of the documentation from the samples that lie beside them."""

from functools import partial
from pathlib import Path
from statistics import median

from . import chart
from .groups import GROUPS
from .machine import sentence
from .results import BY_HAND, OLD, PLAIN, US, Group, Result, load, save
from .table import as_rst, by_subject, by_work, grid, longest_commands, number, times

DOCS = Path(__file__).parent.parent / 'docs'
MEASURED = DOCS / 'performance' / 'measured.json'
PAGE = "a page of one artist's tracks, one client"
GETS = 'get(pk), 100 at a time on asyncio'
WAIT = 'reset of 100,000: longest wait of a reader'
MIRRORS = {  # works of the group `waits`, by what the chart calls them
    'first run': 'mirror of 300,000 rows, first',
    'a later run, which replaces everything': 'mirror of 300,000 rows, again',
    'only changes: 300 rows': 'mirror --mode diff',
    'only changes: none': 'mirror --mode diff, nothing changed',
}
OTHERS = [OLD, BY_HAND, 'rom', 'walrus', f'{US}, threads']


def write(groups: dict[str, Group]) -> None:
    """Put groups into the documentation, in place of those measured earlier."""
    groups = {**load(MEASURED), **groups}
    save(MEASURED, groups)
    for folder, files in (MEASURED.parent, pages(groups)), (DOCS / '_static', charts(groups)):
        for name, text in files.items():
            (folder / name).write_text(text, 'utf-8')


def pages(groups: dict[str, Group]) -> dict[str, str]:
    """Return the files that ``docs/performance.rst`` includes, by name."""
    operations, page = groups['operations'], groups['page']
    longest = longest_commands(operations.results, [US, OLD, BY_HAND])
    of_pages = [
        as_rst(by_subject(each, GROUPS['page'].bases, rounds=False), each.work)
        for each in page.results
    ]
    head = f'Measured on {sentence(page.on)} {page.results[0].note}.\n'
    return {
        'machine.rst': f'Measured on {sentence(operations.on)}\n',
        **{f'{each}.rst': _works(groups[each]) for each in ('operations', 'growth', 'asyncio')},
        'longest.rst': as_rst(longest, widths=[40, 20, 20, 20]),
        'page.rst': '\n'.join([head, *of_pages]),
        'partitions.rst': _partitions(groups['partitions']),
        'figures.rst': _figures(groups),
    }


def _works(group: Group) -> str:
    cells = by_work(group.results, OTHERS)
    table = as_rst(cells, widths=[30, 14, *[16] * (len(cells[0]) - 2)])
    notes = [f'\n{each.work}: {each.note}\n' for each in group.results if each.note]
    return table + ''.join(notes)


def _partitions(group: Group) -> str:
    """Return the CPU time of client and server for each work: of queries, then of resets."""
    parts = [f'Measured on {sentence(group.on)}\n']
    for head, resets in ('partitions', False), ('reset by', True):
        results = [each for each in group.results if each.work.startswith('reset') == resets]
        columns = {head: str, **{each.work: partial(_cpu, each) for each in results}}
        parts.append(as_rst(grid(columns, results[0].samples)))
    return '\n'.join(parts)


def _cpu(result: Result, name: str) -> str:
    client, server, *busiest = (number(median(each[name])) for each in result.more.values())
    more = [times(result.ratios(name, PLAIN)[1])] if name != PLAIN else []
    more += [f'busiest primary {each}' for each in busiest]
    return '; '.join([f'{client} + {server}', *more])


def _figures(groups: dict[str, Group]) -> str:
    """Return the three figures of the landing page."""
    page, orm = groups['page'][PAGE], 'MariaDB, ORM, joins'
    wait, gets = (
        [number(result.median(name)) for name in (US, BY_HAND)]
        for result in (groups['operations'][WAIT], groups['asyncio'][GETS])
    )
    return (
        f'- **{page.ratio(orm):.1f} times as fast** as the same page of a web shop from MariaDB '
        f"through SQLAlchemy's ORM, and {page.ratio(orm, f'{US}, cached'):.0f} times from the "
        'client-side cache.\n'
        f'- **{wait[0]} ms** is the longest wait of a reader while 100,000 objects are replaced. '
        f'Replaced by hand, in one transaction: {wait[1]} ms.\n'
        f'- **{gets[0]} objects a second** by primary key, for 100 tasks of one asyncio process. '
        f'redis-py by hand: {gets[1]}.\n'
    )


def charts(groups: dict[str, Group]) -> dict[str, str]:
    """Return the charts of ``docs/performance.rst``, by file."""
    operations, gets = groups['operations'], groups['asyncio'][GETS]
    title = 'How many times as fast (memory: as small)'
    ratios = [
        (each.work, [(on, each.ratio(on), f'{each.ratio(on):.1f}x') for on in beside])
        for each in operations.results
        if (beside := [on for on in (OLD, BY_HAND) if on in each.samples])
    ]
    every = chart.bars(ratios, title, 'How many times as fast as others: each operation', True)
    reset = 'Longest wait of a reader during a reset of 100,000'
    return {
        'performance.svg': every,
        'page.svg': _medians(groups['page'][PAGE], "A page of one artist's tracks: pages a second"),
        'wait.svg': _medians(operations[WAIT], reset),
        'mirror.svg': _mirrors(groups['waits']),
        'asyncio.svg': _medians(gets, 'Objects by pk, 100 at a time: objects a second'),
    }


def _medians(result: Result, title: str) -> str:
    unit = ' ms' if result.unit == 'ms' else ''
    medians = {name: result.median(name) for name in result.samples}
    rows = [(name, [(name, each, number(each) + unit)]) for name, each in medians.items()]
    return chart.bars(rows, title, f'{title}. The table holds the figures.')


def _mirrors(waits: Group) -> str:
    title = 'A mirror of 300,000 rows: seconds'
    seconds = {name: waits[work].more['took, ms'][US][0] / 1000 for name, work in MIRRORS.items()}
    rows = [(f'{US}, {name}', [(US, value, f'{value:.1f} s')]) for name, value in seconds.items()]
    return chart.bars(rows, title, f'{title}. The text says what they are.')
