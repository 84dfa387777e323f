"""Make the tables and the chart of the documentation from the samples that lie beside them."""

from pathlib import Path

from . import chart
from .groups import GROUPS
from .machine import sentence
from .results import BY_HAND, OLD, US, Group, load, quartiles, save
from .table import as_rst, by_subject, by_work, longest_commands, number

DOCS = Path(__file__).parent.parent / 'docs'
MEASURED = DOCS / 'performance' / 'measured.json'
GETS = 'get(pk), 100 at a time on asyncio'
OTHERS = [OLD, BY_HAND, 'rom', 'walrus', f'{US}, threads']


def pages(groups: dict[str, Group]) -> dict[str, str]:
    """Return the files that ``docs/performance.rst`` includes, by name."""
    made = {'machine.rst': sentence(groups['operations'].on) + '\n'}
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
    chart.draw(groups['operations'].results, DOCS / '_static' / 'performance.svg')


def _figures(groups: dict[str, Group]) -> str:
    """Return the three figures of the landing page."""
    page = groups['page'].results[0]
    orm = 'MariaDB, ORM, joins'
    times, cached = (page.ratio(orm, us) for us in (US, f'{US}, cached'))
    operations = {each.work: each for each in groups['operations'].results}
    waits = operations['reset of 100,000: longest wait of a reader'].samples
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
