"""Draw the charts of the documentation, as SVG that can be read on a light and on a dark page."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from html import escape

from .results import OLD, US

WIDTH = 480  # of each chart, so that a phone shows it whole
# Pixels: the space left and right of the scale, the same of bars without one, a name, a bar.
LEFT, RIGHT, SHOWN, NAME, BAR = 8, 44, 110, 17, 14
Bar = tuple[str, float, str]  # the subject, its figure, and the text at the end of the bar
Place = Callable[[float], float]  # where on the scale a figure is

LIGHT = (
    '--text:#1c2530;--grid:#d5dae0;--axis:#1c2530;--old:#8a5a83;'
    '--hand:#3b7ea1;--us:#12684f;--page:#fff;'
)
DARK = (
    '--text:#e8ecf0;--grid:#3a424b;--axis:#e8ecf0;--old:#c795bf;'
    '--hand:#7bbbe0;--us:#78d9b5;--page:#131416;'
)
# The page holds the SVG itself, so the switch of its theme, an attribute of its body, counts here.
STYLE = (
    f'svg.chart{{{LIGHT}font-family:system-ui,sans-serif;font-size:13px}}'
    f'@media(prefers-color-scheme:dark){{svg.chart{{{DARK}}}}}'
    f'body[data-theme=light] svg.chart{{{LIGHT}}}body[data-theme=dark] svg.chart{{{DARK}}}'
    'svg.chart text{fill:var(--text)}svg.chart .grid{stroke:var(--grid)}'
    'svg.chart .axis{stroke:var(--axis)}svg.chart .old{fill:var(--old)}'
    'svg.chart .hand{fill:var(--hand)}svg.chart .us{fill:var(--us)}'
    'svg.chart .title{font-size:15px;font-weight:600}svg.chart .bar{font-size:14px}'
    # a rim keeps the lines of the grid out of the texts
    'svg.chart text{paint-order:stroke;stroke:var(--page);stroke-width:3px}'
)


def bars(
    rows: Sequence[tuple[str, Sequence[Bar]]], title: str, label: str, ratios: bool = False
) -> str:
    """Return a chart: names, and the bars of each below it.

    :param title: what the figures are
    :param ratios: begin bars at 1, on a log scale, with a legend of the subjects
    """
    figures = [figure for _, group in rows for _, figure, _ in group]
    lines, y = [_text(0, 18, title, 'start', 'title')], 36
    if ratios:
        low, high = min(0, math.log10(min(figures))), math.ceil(math.log10(max(figures)))
        decade = (WIDTH - LEFT - RIGHT) / (high - low)
        y = 84
    height = y + 8 + sum(NAME + 9 + BAR * len(group) for _, group in rows)

    def place(figure: float) -> float:
        if ratios:
            return LEFT + decade * (math.log10(figure) - low)
        return (WIDTH - SHOWN) * figure / max(figures)

    if ratios:
        lines += _legend({subject: None for _, group in rows for subject, _, _ in group})
        lines += _grid(range(math.ceil(low), high + 1), place, height)
    start = place(1) if ratios else 0.0
    for name, group in rows:
        lines.append(_text(start + 5 if ratios else 0, y + 12, name, 'start', 'bar'))
        for subject, figure, shown in group:
            low_end, end = sorted((start, place(figure)))
            where = f'x="{low_end:.1f}" y="{y + NAME}" width="{max(1.0, end - low_end):.1f}"'
            lines.append(f'<rect {where} height="{BAR - 1}" class="{_kind(subject)}"/>')
            lines.append(_text(end + 6, y + NAME + 11, shown, 'start', '' if ratios else 'bar'))
            y += BAR
        y += NAME + 9
    head = f'viewBox="0 0 {WIDTH} {height}" class="chart" role="img" aria-label="{escape(label)}"'
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" {head}>\n<style>{STYLE}</style>'
    return '\n'.join([opening, *lines, '</svg>', ''])


def _kind(subject: str) -> str:
    """Return the colour of a subject's bars, a class of the style."""
    return 'us' if subject.startswith(US) else 'old' if subject.startswith(OLD) else 'hand'


def _legend(subjects: Iterable[str]) -> Iterator[str]:
    for at, subject in enumerate(subjects):
        x, size = 130 * at, BAR - 1
        yield f'<rect x="{x}" y="30" width="{size}" height="{size}" class="{_kind(subject)}"/>'
        yield _text(x + 19, 41, f'against {subject}', 'start')


def _grid(powers: Iterable[int], place: Place, height: int) -> Iterator[str]:
    """Yield the figures of the scale, and their lines."""
    for power in powers:
        x = place(10.0**power)
        yield _text(x, 68, f'{10.0**power:g}x', 'middle')
        yield f'<path d="M{x:.1f} 74V{height}" class="{"grid" if power else "axis"}"/>'


def _text(x: float, y: float, text: str, anchor: str, kind: str = '') -> str:
    place = f'x="{x:.1f}" y="{y}" text-anchor="{anchor}"'
    return f'<text {place}{f" class={kind!r}" if kind else ""}>{escape(text)}</text>'
