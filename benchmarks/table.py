"""Show results as tables: cells first, then text for the terminal or reStructuredText."""

from collections.abc import Iterable, Sequence

from .results import US, Result, quartiles

Cells = list[list[str]]
Bases = Sequence[Sequence[str]]


def number(value: float) -> str:
    """Return a number with three digits that count, thousands apart."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f'{value:,.{digits}f}'


def times(ratio: float) -> str:
    """Return a ratio."""
    shown = f'{ratio:.0f}' if ratio >= 10 else f'{ratio:.2f}'.rstrip('0').rstrip('.')
    return f'{shown}x'


def spread(samples: list[float]) -> str:
    """Return the median, with the quartiles in brackets."""
    low, middle, high = quartiles(samples)
    if len(samples) == 1:
        return f'{number(middle)} (once)'
    return f'{number(middle)} ({number(low)}-{number(high)})'


def longest(milliseconds: float, command: str) -> str:
    """Return the longest command; the server counts up to a second."""
    shown = 'over 1,000' if milliseconds > 1000 else f'{milliseconds:.2f}'
    return f'{shown} ms ({command})'


def by_subject(result: Result, bases: Bases = (), rounds: bool = True) -> Cells:
    """Return a row for each subject of one work, with all figures.

    :param bases: ratios are to the first of these groups that took part; without any, they say how
        many times better this library is
    :param rounds: see :func:`ratio`
    """
    chosen = next((group for group in bases if {*group} <= result.samples.keys()), ())
    heads = [f'times {base}' for base in chosen] or ['ratio']
    cells = [['subject', result.unit, *heads, *result.more]]
    for name, samples in result.samples.items():
        if chosen:
            ratios = [ratio(result, base, name, rounds) for base in chosen]
        else:
            ratios = ['' if name == US else ratio(result, name, US, rounds)]
        more = [
            number(quartiles(figure[name])[1]) if name in figure else '--'
            for figure in result.more.values()
        ]
        commands = [longest(*result.longest[name])] if name in result.longest else []
        cells.append([name, spread(samples), *ratios, *more, *commands])
    if result.longest:
        cells[0].append('longest command')
    return cells


def ratio(result: Result, subject: str, us: str = US, rounds: bool = True) -> str:
    """Return how many times better ``us`` is than the subject.

    :param rounds: show the quartiles of the ratios of the rounds; else the ratio of the medians
    """
    if not rounds or len(result.samples[subject]) == 1:
        return f'{result.ratio(subject, us):.2f}'
    low, middle, high = result.ratios(subject, us)
    return f'{middle:.2f} ({low:.2f}-{high:.2f})'


def by_work(results: list[Result], subjects: Iterable[str]) -> Cells:
    """Return a row for each work, with ratios to the subjects, and to the floor if it is there.

    :param subjects: the columns beside this library; those that took part in nothing are left out
    """
    columns = [name for name in subjects if any(name in each.samples for each in results)]
    floors = [each.of_the_floor() for each in results]
    cells = [['work', US, *(['of the floor'] if any(floors) else []), *columns]]
    for result, floor in zip(results, floors, strict=True):
        row = [f'{result.work}, {result.unit}', spread(result.samples[US])]
        if any(floors):
            row.append(times(floor) if floor else '--')
        for name in columns:
            samples = result.samples.get(name)
            row.append(f'{times(result.ratio(name))}; {spread(samples)}' if samples else '--')
        cells.append(row)
    return cells


def longest_commands(results: list[Result], subjects: list[str]) -> Cells:
    """Return a row for each work, with the longest command of each subject."""
    cells = [['work', *subjects]]
    for result in results:
        if result.longest:
            shown = {name: longest(*each) for name, each in result.longest.items()}
            cells.append([result.work, *(shown.get(name, '--') for name in subjects)])
    return cells


def against(results: list[Result], subject: str) -> Cells:
    """Return a row for each work with its ratio to a subject, the lowest ratios first."""
    cells = [['work', 'now', subject, 'times better', 'by client CPU']]
    results = [each for each in results if subject in each.samples]
    for each in sorted(results, key=lambda each: each.ratios(subject)[1]):
        spreads = [spread(each.samples[name]) for name in (US, subject)]
        cpu = [Result('', '', each.more[name]) for name in each.more if name == 'client CPU']
        ratios = [ratio(one, subject) for one in (each, *cpu)]
        cells.append([f'{each.work}, {each.unit}', *spreads, *ratios])
    return cells


def as_text(title: str, cells: Cells) -> str:
    """Return a table for the terminal."""
    width = max(map(len, cells))
    rows = [row + [''] * (width - len(row)) for row in cells]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        '  '.join(f'{cell:{size}}' for cell, size in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return '\n  '.join([title, *lines])


def as_rst(cells: Cells, title: str = '', widths: Sequence[int] = ()) -> str:
    """Return a table for the documentation.

    :param widths: of the columns, in percent
    """
    lines = [f'.. list-table:: {title}'.rstrip(), '   :header-rows: 1']
    if widths:
        lines.append(f'   :widths: {" ".join(map(str, widths))}')
    lines.append('')
    for row in cells:
        # A trailing underscore, as in ``__ne``, would be a reference.
        escaped = [cell.replace('__ne', '``__ne``') for cell in row]
        lines += [f'   {" " if at else "*"} - {cell}' for at, cell in enumerate(escaped)]
    return '\n'.join(lines) + '\n'
