"""Results as tables: for the terminal, and as reStructuredText for the documentation.

The rule: a ratio says how many times better this library is, by the medians; an aim that is not
reached is marked, and every figure comes with its quartiles.
"""

from __future__ import annotations

from collections.abc import Iterator

from .results import US, Figure, Result

__all__ = ('as_rst', 'line', 'longest_as_rst', 'number', 'reached')

MISSED = '(missed)'
LONGEST_AIM = 5.0  # milliseconds of the server for a single command


def number(value: float) -> str:
    """Three digits that count, and thousands apart."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f'{value:,.{digits}f}'


def times(ratio: float) -> str:
    """A ratio or an aim, as short as it may be."""
    shown = f'{ratio:.0f}' if ratio >= 10 else f'{ratio:.2f}'.rstrip('0').rstrip('.')
    return f'{shown}x'


def spread(figure: Figure) -> str:
    """Median and quartiles."""
    if len(figure.samples) == 1:
        return f'{number(figure.median)} (once)'
    low, high = figure.quartiles
    return f'{number(figure.median)} ({number(low)}-{number(high)})'


def aim_text(result: Result, subject: str) -> str:
    """The aim, and whether it is missed."""
    aim = result.aims.get(subject)
    if aim is None:
        return ''
    missed = '' if result.ratio(subject) >= aim else f' {MISSED}'
    return f', aim {times(aim)}{missed}'


def longest(milliseconds: float, command: str) -> str:
    """The longest command; the server counts up to a second."""
    shown = 'over 1,000' if milliseconds > 1000 else f'{milliseconds:.2f}'
    return f'{shown} ms ({command})'


def reached(result: Result) -> bool:
    """Whether every aim is reached, against the subjects that took part."""
    ours = result.figures[US].median
    limit = result.limit
    within = limit is None or (ours >= limit if result.higher_is_better else ours <= limit)
    known = [name for name in result.aims if name in result.figures]
    return within and all(result.ratio(name) >= result.aims[name] for name in known)


def line(result: Result) -> str:
    """One result for the terminal, a line for each subject."""
    shown = [f'{result.work}, {result.unit}' + ('' if reached(result) else f'  {MISSED}')]
    for name, figure in result.figures.items():
        more = '' if name == US else times(result.ratio(name)) + aim_text(result, name)
        if name == US and result.limit is not None:
            more = f'limit {number(result.limit)}'
        if name in result.cpu:
            more += f'{"; " if more else ""}client CPU {number(result.cpu[name].median)}'
        if name in result.longest:
            more += f'; longest command {longest(*result.longest[name])}'
        shown.append(f'  {name:22} {spread(figure):28} {more}'.rstrip())
    return '\n'.join(shown)


def as_rst(results: list[Result], subjects: list[str]) -> str:
    """A table with a row for each result; notes below it.

    :param subjects: the columns beside ours; subjects without any figure are left out
    """
    columns = [name for name in subjects if any(name in each.figures for each in results)]
    lines = list(_head(['work', US, *columns], [30, 14, *[16] * len(columns)]))
    for result in results:
        cells = [f'{result.work}, {result.unit}', _cell(result, US)]
        lines += _row([*cells, *(_cell(result, name) for name in columns)])
    notes = [f'{result.work}: {result.note}' for result in results if result.note]
    return '\n'.join([*lines, '', *(f'{note}\n' for note in notes)]).rstrip() + '\n'


def _cell(result: Result, name: str) -> str:
    if name not in result.figures:
        return '--'
    shown = spread(result.figures[name])
    if name != US:
        ratio = f'**{times(result.ratio(name))}**{aim_text(result, name)}'
        return f'{ratio}; {shown}'
    return shown if result.limit is None else f'{shown}, at most {number(result.limit)}'


def longest_as_rst(results: list[Result], subjects: list[str]) -> str:
    """The longest single command of each work."""
    lines = list(_head(['work', *subjects], [40, *[20] * len(subjects)]))
    for result in results:
        if result.longest:
            known = result.longest
            shown = {name: longest(*each) for name, each in known.items()}
            if US in known and known[US][0] > LONGEST_AIM:
                shown[US] += f' {MISSED}'
            cells = [shown.get(name, '--') for name in subjects]
            lines += _row([result.work, *cells])
    return '\n'.join(lines) + '\n'


def _head(titles: list[str], widths: list[int]) -> Iterator[str]:
    yield '.. list-table::'
    yield '   :header-rows: 1'
    yield f'   :widths: {" ".join(map(str, widths))}'
    yield ''
    yield from _row(titles)


def _row(cells: list[str]) -> list[str]:
    return [f'   {"*" if not at else " "} - {_escaped(cell)}' for at, cell in enumerate(cells)]


def _escaped(text: str) -> str:
    """A trailing underscore, as in ``__ne``, is no reference."""
    return text.replace('__ne', '``__ne``')
