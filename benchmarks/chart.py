"""Draw the charts of the documentation, as SVG that can be read on a light and on a dark page."""

import math
from collections.abc import Iterator, Sequence
from html import escape

from .results import BY_HAND, OLD, Result

COLOURS = {OLD: 'old', BY_HAND: 'hand'}  # classes of the style
# Pixels: the labels, a factor of ten, a work, a bar, the space around.
LABELS, DECADE, ROW, BAR, MARGIN = 350, 150, 30, 12, 40
WIDTH = 480  # of a chart of bars, which a phone shows whole
LIGHT = '--text:#1c2530;--grid:#d5dae0;--axis:#1c2530;--old:#8a5a83;--hand:#3b7ea1;--us:#12684f;'
DARK = '--text:#e8ecf0;--grid:#3a424b;--axis:#e8ecf0;--old:#c795bf;--hand:#7bbbe0;--us:#78d9b5;'
# The page holds the SVG itself, so the switch of its theme, an attribute of its body, counts here.
STYLE = (
    f'svg.chart{{{LIGHT}font-family:system-ui,sans-serif;font-size:13px}}'
    f'@media(prefers-color-scheme:dark){{svg.chart{{{DARK}}}}}'
    f'body[data-theme=light] svg.chart{{{LIGHT}}}body[data-theme=dark] svg.chart{{{DARK}}}'
    'svg.chart text{fill:var(--text)}svg.chart .grid{stroke:var(--grid)}'
    'svg.chart .axis{stroke:var(--axis)}svg.chart .old{fill:var(--old)}'
    'svg.chart .hand{fill:var(--hand)}svg.chart .us{fill:var(--us)}'
    'svg.chart .title{font-size:15px;font-weight:600}svg.chart .bar{font-size:14px}'
)


def ratios(results: list[Result], label: str) -> str:
    """Return a chart of the ratios to 6.0.3 and to redis-py by hand, on a log scale."""
    shown = [each for each in results if COLOURS.keys() & each.samples.keys()]
    factors = [each.ratio(name) for each in shown for name in COLOURS if name in each.samples]
    low, high = math.floor(math.log10(min(factors))), math.ceil(math.log10(max(factors)))
    width, height = LABELS + DECADE * (high - low) + MARGIN, ROW * len(shown) + 2 * MARGIN
    lines = [*_scale(low, high, height)]
    for at, result in enumerate(shown):
        lines += _pair(result, MARGIN + ROW * at, low)
    return _svg(width, height, label, lines)


def bars(rows: Sequence[tuple[str, float, str]], title: str, label: str) -> str:
    """Return a chart of figures, each below its name.

    :param rows: names, figures and the text that stands at the end of the bar
    :param title: what the figures are
    """
    longest, room = max(value for _, value, _ in rows), WIDTH - 110
    lines = [_text(0, 18, title, 'start', 'title')]
    for at, (name, value, shown) in enumerate(rows):
        y, size = 36 + 40 * at, max(1.0, room * value / longest)
        kind = 'us' if name.startswith('IndexedRedis') else 'old' if name == OLD else 'hand'
        lines.append(_text(0, y + 12, name, 'start', 'bar'))
        lines.append(f'<rect x="0" y="{y + 17}" width="{size:.1f}" height="14" class="{kind}"/>')
        lines.append(_text(size + 6, y + 29, shown, 'start', 'bar'))
    return _svg(WIDTH, 44 + 40 * len(rows), label, lines)


def _svg(width: int, height: int, label: str, lines: list[str]) -> str:
    head = f'viewBox="0 0 {width} {height}" class="chart" role="img" aria-label="{escape(label)}"'
    start = f'<svg xmlns="http://www.w3.org/2000/svg" {head}>\n<style>{STYLE}</style>'
    return '\n'.join([start, *lines, '</svg>', ''])


def _scale(low: int, high: int, height: int) -> Iterator[str]:
    """Yield the grid, its figures and the legend."""
    for power in range(low, high + 1):
        x, line = LABELS + DECADE * (power - low), 'grid' if power else 'axis'
        yield f'<path d="M{x} {MARGIN - 5}V{height - MARGIN}" class="{line}"/>'
        yield _text(x, height - MARGIN + 15, f'{10.0**power:g}x', 'middle')
    yield _text(LABELS, height - 8, 'times as fast as (memory: as small as)', 'start')
    for at, (name, colour) in enumerate(COLOURS.items()):
        x = LABELS + 150 * at
        yield f'<rect x="{x}" y="12" width="{BAR}" height="{BAR}" class="{colour}"/>'
        yield _text(x + 17, 22, f'against {name}', 'start')


def _pair(result: Result, y: int, low: int) -> Iterator[str]:
    yield _text(LABELS - 8, y + BAR + 4, result.work, 'end')
    one = LABELS - DECADE * low
    for at, (name, colour) in enumerate(COLOURS.items()):
        if name in result.samples:
            ratio = result.ratio(name)
            end = one + DECADE * math.log10(ratio)
            place = f'x="{min(one, end):.1f}" y="{y + BAR * at}"'
            size = f'width="{abs(end - one):.1f}" height="{BAR - 1}"'
            yield f'<rect {place} {size} class="{colour}"/>'
            yield _text(max(one, end) + 4, y + BAR * at + 10, f'{ratio:.1f}x', 'start')


def _text(x: float, y: float, text: str, anchor: str, kind: str = '') -> str:
    place = f'x="{x:.1f}" y="{y}" text-anchor="{anchor}"'
    return f'<text {place}{f" class={kind!r}" if kind else ""}>{escape(text)}</text>'
