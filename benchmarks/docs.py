"""Make the tables and the charts of the documentation from the samples that lie beside them."""

from functools import partial
from pathlib import Path

from . import chart
from .groups import GROUPS
from .machine import sentence
from .results import BY_HAND, OLD, PLAIN, US, Group, Result, load, quartiles, save
from .table import Cells, as_rst, by_subject, by_work, grid, longest_commands, number, times

DOCS = Path(__file__).parent.parent / 'docs'
MEASURED = DOCS / 'performance' / 'measured.json'
GETS = 'get(pk), 100 at a time on asyncio'
WAIT = 'reset of 100,000: longest wait of a reader'
MIRRORS = {  # works of the group `waits`, by what the chart calls them
    'first run': 'mirror of 300,000 rows, first',
    'a later run, which replaces everything': 'mirror of 300,000 rows, again',
    'only changes: 300 rows': 'mirror --mode diff',
    'only changes: none': 'mirror --mode diff, nothing changed',
}
OTHERS = [OLD, BY_HAND, 'rom', 'walrus', f'{US}, threads']


def pages(groups: dict[str, Group]) -> dict[str, str]:
    """Return the files that ``docs/performance.rst`` includes, by name."""
    made = {'machine.rst': f'Measured on {sentence(groups["operations"].on)}\n'}
    for name in ('operations', 'growth', 'asyncio'):
        made[f'{name}.rst'] = _by_work(groups[name])
    cells = longest_commands(groups['operations'].results, [US, OLD, BY_HAND])
    made['longest.rst'] = as_rst(cells, widths=[40, 20, 20, 20])
    made['page.rst'] = _page(groups['page'])
    made['partitions.rst'] = _partitions(groups['partitions'])
    made['figures.rst'] = _figures(groups)
    return made


def write(groups: dict[str, Group]) -> None:
    """Put groups into the documentation, in place of those measured earlier."""
    groups = {**load(MEASURED), **groups}
    save(MEASURED, groups)
    for name, text in pages(groups).items():
        MEASURED.with_name(name).write_text(text, 'utf-8')
    for name, text in charts(groups).items():
        (DOCS / '_static' / name).write_text(text, 'utf-8')


def charts(groups: dict[str, Group]) -> dict[str, str]:
    """Return the charts of ``docs/performance.rst``, by file."""
    operations, page = groups['operations'].results, groups['page'].results[0]
    wait = next(each for each in operations if each.work == WAIT)
    many = next(each for each in groups['asyncio'].results if each.work == GETS)
    return {
        'performance.svg': _ratios(operations),
        'page.svg': _medians(page, "A page of one artist's tracks: pages a second"),
        'wait.svg': _medians(wait, 'Longest wait of a reader during a reset of 100,000'),
        'mirror.svg': _mirrors({each.work: each for each in groups['waits'].results}),
        'asyncio.svg': _medians(many, 'Objects by pk, 100 at a time: objects a second'),
    }


def _ratios(results: list[Result]) -> str:
    rows = []
    for result in results:
        ratios = [(name, result.ratio(name)) for name in (OLD, BY_HAND) if name in result.samples]
        if ratios:
            rows.append((result.work, [(name, value, f'{value:.1f}x') for name, value in ratios]))
    title = 'How many times as fast (memory: as small)'
    return chart.bars(rows, title, 'How many times as fast as others: each operation', ratios=True)


def _medians(result: Result, title: str) -> str:
    unit = ' ms' if result.unit == 'ms' else ''
    medians = {name: quartiles(samples)[1] for name, samples in result.samples.items()}
    rows = [(name, [(name, each, number(each) + unit)]) for name, each in medians.items()]
    return chart.bars(rows, title, f'{title}. The table holds the figures.')


def _mirrors(waits: dict[str, Result]) -> str:
    title = 'A mirror of 300,000 rows: seconds'
    seconds = {name: waits[work].more['took, ms'][US][0] / 1000 for name, work in MIRRORS.items()}
    rows = [(f'{US}, {name}', [(US, value, f'{value:.1f} s')]) for name, value in seconds.items()]
    return chart.bars(rows, title, f'{title}. The text says what they are.')


def _figures(groups: dict[str, Group]) -> str:
    """Return the three figures of the landing page."""
    page = groups['page'].results[0]
    orm = 'MariaDB, ORM, joins'
    times, cached = (page.ratio(orm, us) for us in (US, f'{US}, cached'))
    operations = {each.work: each for each in groups['operations'].results}
    waits = operations[WAIT].samples
    gets = {each.work: each for each in groups['asyncio'].results}[GETS].samples
    wait, by_hand = (number(quartiles(waits[name])[1]) for name in (US, BY_HAND))
    ours, theirs = (number(quartiles(gets[name])[1]) for name in (US, BY_HAND))
    lines = [
        f'**{times:.1f} times as fast** as the same page of a web shop from MariaDB through '
        f"SQLAlchemy's ORM, and {cached:.0f} times from the client-side cache",
        f'**{wait} ms** is the longest wait of a reader while 100,000 objects are replaced. '
        f'Replaced by hand, in one transaction: {by_hand} ms',
        f'**{ours} objects a second** by primary key, for 100 tasks of one asyncio process. '
        f'redis-py by hand: {theirs}',
    ]
    return '\n'.join(f'- {line}.' for line in lines) + '\n'


def _by_work(group: Group) -> str:
    cells = by_work(group.results, OTHERS)
    table = as_rst(cells, widths=[30, 14, *[16] * (len(cells[0]) - 2)])
    notes = [f'\n{each.work}: {each.note}\n' for each in group.results if each.note]
    return table + ''.join(notes)


def _page(group: Group) -> str:
    bases = GROUPS['page'].bases
    text = f'Measured on {sentence(group.on)} {group.results[0].note}.\n'
    for result in group.results:
        text += '\n' + as_rst(by_subject(result, bases, rounds=False), result.work)
    return text


def _partitions(group: Group) -> str:
    resets = [each for each in group.results if each.work.startswith('reset')]
    queries = [each for each in group.results if each not in resets]
    tables = as_rst(_by_cpu(queries, 'partitions')) + '\n' + as_rst(_by_cpu(resets, 'reset by'))
    return f'Measured on {sentence(group.on)}\n\n{tables}'


def _by_cpu(results: list[Result], head: str) -> Cells:
    """Return a row for each subject, with the CPU time of client and server for each work."""
    columns = {each.work: partial(_cpu, each) for each in results}
    return grid(head, columns, [(name, name) for name in results[0].samples])


def _cpu(result: Result, name: str) -> str:
    client, server, *busiest = (
        number(quartiles(figure[name])[1]) for figure in result.more.values()
    )
    more = [times(result.ratios(name, PLAIN)[1])] if name != PLAIN else []
    more += [f'busiest primary {each}' for each in busiest]
    return '; '.join([f'{client} + {server}', *more])
