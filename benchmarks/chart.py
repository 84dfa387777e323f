"""Draw the charts of the documentation, as SVG that can be read on a light and on a dark page."""

import math
from collections.abc import Iterator, Sequence
from html import escape

from .results import BY_HAND, OLD, US, Result

COLOURS = {OLD: 'old', BY_HAND: 'hand'}  # classes of the style
WIDTH = 480  # of each chart, so that a phone shows it whole
# Pixels: the space left and right of the scale, a work with its name, a bar, the space above.
LEFT, RIGHT, ROW, BAR, TOP = 8, 44, 50, 13, 84
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


def ratios(results: list[Result], label: str) -> str:
    """Return a chart of the ratios to 6.0.3 and to redis-py by hand, on a log scale."""
    shown = [each for each in results if COLOURS.keys() & each.samples.keys()]
    factors = [each.ratio(name) for each in shown for name in COLOURS if name in each.samples]
    low, high = min(0.0, math.log10(min(factors))), math.ceil(math.log10(max(factors)))
    height, decade = TOP + ROW * len(shown) + 8, (WIDTH - LEFT - RIGHT) / (high - low)
    lines = [*_scale(low, high, decade, height)]
    for at, result in enumerate(shown):
        lines += _pair(result, TOP + ROW * at, LEFT - decade * low, decade)
    return _svg(WIDTH, height, label, lines)


def bars(rows: Sequence[tuple[str, float, str]], title: str, label: str) -> str:
    """Return a chart of figures, each below its name.

    :param rows: names, figures and the text that stands at the end of the bar
    :param title: what the figures are
    """
    longest, room = max(value for _, value, _ in rows), WIDTH - 110
    lines = [_text(0, 18, title, 'start', 'title')]
    for at, (name, value, shown) in enumerate(rows):
        y, size = 36 + 40 * at, max(1.0, room * value / longest)
        kind = 'us' if name.startswith(US) else 'old' if name.startswith(OLD) else 'hand'
        lines.append(_text(0, y + 12, name, 'start', 'bar'))
        lines.append(f'<rect x="0" y="{y + 17}" width="{size:.1f}" height="14" class="{kind}"/>')
        lines.append(_text(size + 6, y + 29, shown, 'start', 'bar'))
    return _svg(WIDTH, 44 + 40 * len(rows), label, lines)


def _svg(width: int, height: int, label: str, lines: list[str]) -> str:
    head = f'viewBox="0 0 {width} {height}" class="chart" role="img" aria-label="{escape(label)}"'
    start = f'<svg xmlns="http://www.w3.org/2000/svg" {head}>\n<style>{STYLE}</style>'
    return '\n'.join([start, *lines, '</svg>', ''])


def _scale(low: float, high: int, decade: float, height: int) -> Iterator[str]:
    """Yield the title, the legend, the figures of the scale and its grid."""
    yield _text(0, 18, 'How many times as fast (memory: as small)', 'start', 'title')
    for at, (name, colour) in enumerate(COLOURS.items()):
        x = 130 * at
        yield f'<rect x="{x}" y="30" width="{BAR}" height="{BAR}" class="{colour}"/>'
        yield _text(x + 19, 41, f'against {name}', 'start')
    for power in range(math.ceil(low), high + 1):
        x, line = LEFT + decade * (power - low), 'grid' if power else 'axis'
        yield _text(x, 68, f'{10.0**power:g}x', 'middle')
        yield f'<path d="M{x:.1f} 74V{height}" class="{line}"/>'


def _pair(result: Result, y: int, one: float, decade: float) -> Iterator[str]:
    """Yield the name of a work and its bars, which begin at the line of 1x."""
    yield _text(one + 5, y + 11, result.work, 'start', 'bar')
    for at, (name, colour) in enumerate(COLOURS.items()):
        if name in result.samples:
            ratio = result.ratio(name)
            end = one + decade * math.log10(ratio)
            place = f'x="{min(one, end):.1f}" y="{y + 16 + BAR * at}"'
            size = f'width="{abs(end - one):.1f}" height="{BAR - 1}"'
            yield f'<rect {place} {size} class="{colour}"/>'
            yield _text(max(one, end) + 5, y + 26 + BAR * at, f'{ratio:.1f}x', 'start')


def _text(x: float, y: float, text: str, anchor: str, kind: str = '') -> str:
    place = f'x="{x:.1f}" y="{y}" text-anchor="{anchor}"'
    return f'<text {place}{f" class={kind!r}" if kind else ""}>{escape(text)}</text>'
