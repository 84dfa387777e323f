"""Draw the one chart: how many times as fast this library is, work by work, on a log scale."""

import math
from collections.abc import Iterator
from html import escape
from pathlib import Path

from .results import BY_HAND, OLD, Result

COLOURS = {OLD: '#8a5a83', BY_HAND: '#3b7ea1'}
# Pixels: the labels of the works, a factor of ten, a work, a bar, the space around.
LABELS, DECADE, ROW, BAR, MARGIN = 330, 150, 30, 12, 40
STYLE = 'font-family="sans-serif" font-size="11"'


def draw(results: list[Result], path: Path) -> None:
    """Draw the ratios to 6.0.3 and to redis-py by hand as SVG."""
    shown = [each for each in results if COLOURS.keys() & each.samples.keys()]
    ratios = [each.ratio(name) for each in shown for name in COLOURS if name in each.samples]
    low, high = math.floor(math.log10(min(ratios))), math.ceil(math.log10(max(ratios)))
    width, height = LABELS + DECADE * (high - low) + MARGIN, ROW * len(shown) + 2 * MARGIN
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} {STYLE}>']
    lines.append(f'<rect width="{width}" height="{height}" fill="white"/>')
    lines += _scale(low, high, height)
    for at, result in enumerate(shown):
        lines += _bars(result, MARGIN + ROW * at, low)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('\n'.join([*lines, '</svg>', '']), 'utf-8')


def _scale(low: int, high: int, height: int) -> Iterator[str]:
    """Yield the grid, its figures and the legend."""
    for power in range(low, high + 1):
        x, colour = LABELS + DECADE * (power - low), '#ddd' if power else '#000'
        yield f'<path d="M{x} {MARGIN - 5}V{height - MARGIN}" stroke="{colour}"/>'
        yield _text(x, height - MARGIN + 15, f'{10.0**power:g}x', 'middle')
    yield _text(LABELS, height - 8, 'times as fast as (memory: as small as)', 'start')
    for at, (name, colour) in enumerate(COLOURS.items()):
        x = LABELS + 150 * at
        yield f'<rect x="{x}" y="12" width="{BAR}" height="{BAR}" fill="{colour}"/>'
        yield _text(x + 17, 22, f'against {name}', 'start')


def _bars(result: Result, y: int, low: int) -> Iterator[str]:
    yield _text(LABELS - 8, y + BAR + 4, result.work, 'end')
    one = LABELS - DECADE * low
    for at, (name, colour) in enumerate(COLOURS.items()):
        if name in result.samples:
            ratio = result.ratio(name)
            end = one + DECADE * math.log10(ratio)
            place = f'x="{min(one, end):.1f}" y="{y + BAR * at}"'
            size = f'width="{abs(end - one):.1f}" height="{BAR - 1}"'
            yield f'<rect {place} {size} fill="{colour}"/>'
            yield _text(max(one, end) + 4, y + BAR * at + 10, f'{ratio:.1f}x', 'start')


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'
