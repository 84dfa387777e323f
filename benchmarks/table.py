"""Show results as tables: cells first, then text for the terminal or reStructuredText."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from statistics import median
from typing import Any

from .results import US, Result, quartiles

Cells = list[list[str]]
Show = Callable[[Any], str]
Bases = Sequence[Sequence[str]]


def number(value: float) -> str:
    """Return a number with three digits that count, thousands apart."""
    digits = sum(abs(value) < limit for limit in (100, 10, 1))
    return f'{value:,.{digits}f}'


def times(ratio: float | None) -> str:
    """Return a ratio, or a dash where there is none."""
    if ratio is None:
        return '--'
    shown = f'{ratio:.0f}' if ratio >= 10 else f'{ratio:.2f}'.rstrip('0').rstrip('.')
    return f'{shown}x'


def spread(samples: list[float]) -> str:
    """Return the median, with the quartiles in brackets."""
    low, middle, high = map(number, quartiles(samples))
    return f'{middle} (once)' if len(samples) == 1 else f'{middle} ({low}-{high})'


def ratio(result: Result, subject: str, us: str = US, rounds: bool = True) -> str:
    """Return how many times better ``us`` is than the subject.

    :param rounds: show the quartiles of the ratios of the rounds; else the ratio of the medians
    """
    if not rounds or len(result.samples[subject]) == 1:
        return f'{result.ratio(subject, us):.2f}'
    low, middle, high = result.ratios(subject, us)
    return f'{middle:.2f} ({low:.2f}-{high:.2f})'


def longest(result: Result, name: str, lacking: str = '--') -> str:
    """Return the longest command of a subject; the server counts up to a second."""
    if name not in result.longest:
        return lacking
    milliseconds, command = result.longest[name]
    shown = 'over 1,000' if milliseconds > 1000 else f'{milliseconds:.2f}'
    return f'{shown} ms ({command})'


def grid(columns: Mapping[str, Show], rows: Iterable[Any]) -> Cells:
    """Return a table: of each row, what each column shows."""
    return [[*columns], *([show(row) for show in columns.values()] for row in rows)]


def by_subject(result: Result, bases: Bases = (), rounds: bool = True) -> Cells:
    """Return a row for each subject of one work, with all figures.

    :param bases: ratios are to the first of these groups that took part; without any, they say how
        many times better this library is
    :param rounds: see :func:`ratio`
    """
    chosen = next((group for group in bases if {*group} <= result.samples.keys()), ())
    columns: dict[str, Show] = {'subject': str, result.unit: lambda on: spread(result.samples[on])}
    for base in chosen:
        columns[f'times {base}'] = partial(ratio, result, base, rounds=rounds)
    if not chosen:
        columns['ratio'] = lambda on: '' if on == US else ratio(result, on, rounds=rounds)
    for heading, of in result.more.items():
        columns[heading] = lambda on, of=of: number(median(of[on])) if on in of else '--'
    if result.longest:
        columns['longest command'] = partial(longest, result, lacking='')
    return grid(columns, result.samples)


def by_work(results: list[Result], subjects: Iterable[str]) -> Cells:
    """Return a row for each work, with ratios to the subjects, and to the floor if it is there.

    :param subjects: the columns beside this library; those that took part in nothing are left out
    """

    def beside(on: str, result: Result) -> str:
        samples = result.samples.get(on)
        return f'{times(result.ratio(on))}; {spread(samples)}' if samples else '--'

    columns: dict[str, Show] = {'work': _named, US: lambda result: spread(result.samples[US])}
    if any(each.of_the_floor() for each in results):
        columns['of the floor'] = lambda result: times(result.of_the_floor())
    for on in subjects:
        if any(on in each.samples for each in results):
            columns[on] = partial(beside, on)
    return grid(columns, results)


def longest_commands(results: list[Result], subjects: list[str]) -> Cells:
    """Return a row for each work, with the longest command of each subject."""
    columns: dict[str, Show] = {on: partial(longest, name=on) for on in subjects}
    rows = [each for each in results if each.longest]
    return grid({'work': lambda result: result.work, **columns}, rows)


def against(results: list[Result], subject: str) -> Cells:
    """Return a row for each work with its ratio to a subject, the lowest ratios first."""
    columns: dict[str, Show] = {
        'work': _named,
        'now': lambda result: spread(result.samples[US]),
        subject: lambda result: spread(result.samples[subject]),
        'times better': lambda result: ratio(result, subject),
    }
    both = [each for each in results if subject in each.samples]
    return grid(columns, sorted(both, key=lambda each: each.ratios(subject)[1]))


def as_text(title: str, cells: Cells) -> str:
    """Return a table for the terminal."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rows = [map(str.ljust, row, widths) for row in cells]
    return '\n  '.join([title, *('  '.join(row).rstrip() for row in rows)])


def as_rst(cells: Cells, title: str = '', widths: Sequence[int] = ()) -> str:
    """Return a table for the documentation; widths are in percent."""
    lines = [f'.. list-table:: {title}'.rstrip(), '   :header-rows: 1']
    if widths:
        lines.append(f'   :widths: {" ".join(map(str, widths))}')
    lines.append('')
    for row in cells:
        # A trailing underscore, as in ``__ne``, would be a reference.
        escaped = [cell.replace('__ne', '``__ne``') for cell in row]
        lines += [f'   {" " if at else "*"} - {cell}' for at, cell in enumerate(escaped)]
    return '\n'.join(lines) + '\n'


def _named(result: Result) -> str:
    return f'{result.work}, {result.unit}'
