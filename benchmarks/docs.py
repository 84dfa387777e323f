"""Make the tables and the charts of the documentation from the samples that lie beside them."""

from pathlib import Path

from . import chart
from .groups import GROUPS
from .machine import sentence
from .results import BY_HAND, OLD, US, Group, Result, load, quartiles, save
from .table import as_rst, by_subject, by_work, longest_commands, number

DOCS = Path(__file__).parent.parent / 'docs'
MEASURED = DOCS / 'performance' / 'measured.json'
GETS = 'get(pk), 100 at a time on asyncio'
WAIT = 'reset of 100,000: longest wait of a reader'
OTHERS = [OLD, BY_HAND, 'rom', 'walrus', f'{US}, threads']


def pages(groups: dict[str, Group]) -> dict[str, str]:
    """Return the files that ``docs/performance.rst`` includes, by name."""
    made = {'machine.rst': f'Measured on {sentence(groups["operations"].on)}\n'}
    for name in ('operations', 'growth', 'asyncio'):
        made[f'{name}.rst'] = _by_work(groups[name])
    cells = longest_commands(groups['operations'].results, [US, OLD, BY_HAND])
    made['longest.rst'] = as_rst(cells, widths=[40, 20, 20, 20])
    made['page.rst'] = _page(groups['page'])
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
        'performance.svg': chart.ratios(
            operations, 'How many times as fast as others: each operation'
        ),
        'page.svg': _bars(page, "A page of one artist's tracks: pages a second"),
        'wait.svg': _bars(wait, 'Longest wait of a reader during a reset of 100,000'),
        'asyncio.svg': _bars(many, 'Objects by pk, 100 at a time: objects a second'),
    }


def _bars(result: Result, title: str) -> str:
    medians = {name: quartiles(samples)[1] for name, samples in result.samples.items()}
    unit = ' ms' if result.unit == 'ms' else ''
    rows = [(name, value, number(value) + unit) for name, value in medians.items()]
    return chart.bars(rows, title, f'{title}. The table holds the figures.')


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
