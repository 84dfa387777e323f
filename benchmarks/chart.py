"""Draw the charts of the documentation, as SVG that can be read on a light and on a dark page."""

import math
from collections.abc import Sequence
from html import escape

from .results import OLD, US

WIDTH = 480  # of each chart, so that a phone shows it whole
# Pixels: the space left and right of the scale, the same of bars without one, a name, a bar.
LEFT, RIGHT, SHOWN, NAME, BAR = 8, 44, 110, 17, 14
Bar = tuple[str, float, str]  # the subject, its figure, and the text at the end of the bar

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

    :param ratios: begin bars at 1, on a log scale, with a legend of the subjects
    """
    figures = [figure for _, group in rows for _, figure, _ in group]
    y = 84 if ratios else 36
    height = y + 8 + sum(NAME + 9 + BAR * len(group) for _, group in rows)
    low, high = min(0, math.log10(min(figures))), math.ceil(math.log10(max(figures)))

    def place(figure: float) -> float:
        if ratios:
            return LEFT + (WIDTH - LEFT - RIGHT) / (high - low) * (math.log10(figure) - low)
        return (WIDTH - SHOWN) * figure / max(figures)

    lines = [_text(0, 18, title, 'title')]
    if ratios:
        lines += _legend([*dict.fromkeys(subject for _, group in rows for subject, _, _ in group)])
        for power in range(math.ceil(low), high + 1):
            x, kind = place(10.0**power), 'grid' if power else 'axis'
            lines.append(_text(x, 68, f'{10.0**power:g}x', anchor='middle'))
            lines.append(f'<path d="M{x:.1f} 74V{height}" class="{kind}"/>')
    start = place(1) if ratios else 0.0
    for name, group in rows:
        lines.append(_text(start + 5 if ratios else 0, y + 12, name, 'bar'))
        for subject, figure, shown in group:
            left, right = sorted((start, place(figure)))
            lines.append(_rect(left, y + NAME, max(1.0, right - left), subject))
            lines.append(_text(right + 6, y + NAME + 11, shown, '' if ratios else 'bar'))
            y += BAR
        y += NAME + 9
    head = f'viewBox="0 0 {WIDTH} {height}" class="chart" role="img" aria-label="{escape(label)}"'
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" {head}>\n<style>{STYLE}</style>'
    return '\n'.join([opening, *lines, '</svg>', ''])


def _legend(subjects: list[str]) -> list[str]:
    boxes = [_rect(130 * at, 30, BAR - 1, subject) for at, subject in enumerate(subjects)]
    texts = [_text(130 * at + 19, 41, f'against {each}') for at, each in enumerate(subjects)]
    return boxes + texts


def _rect(x: float, y: float, width: float, subject: str) -> str:
    """Return a bar in the colour of its subject."""
    kind = 'us' if subject.startswith(US) else 'old' if subject.startswith(OLD) else 'hand'
    place = f'x="{x:.1f}" y="{y}" width="{width:.1f}" height="{BAR - 1}"'
    return f'<rect {place} class="{kind}"/>'


def _text(x: float, y: float, text: str, kind: str = '', anchor: str = 'start') -> str:
    place = f'x="{x:.1f}" y="{y}" text-anchor="{anchor}"'
    return f'<text {place}{f" class={kind!r}" if kind else ""}>{escape(text)}</text>'
