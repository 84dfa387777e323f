"""Charts as SVG, to stand in a page.

The rule: colours are classes, which the page's style sets for light and dark. Each bar has its
figure beside it, so that no chart needs colours to be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from .blocks import Bars, Groups, Timeline

__all__ = ('bars', 'groups', 'timeline')

# Units of the picture, which are pixels on a wide screen.
WIDTH, ROW, BAR, LEFT, TOP = 800, 30, 18, 130, 30
FIGURE = 90  # the width of a column of figures
GRAPH = 160  # the height of a timeline
COLOURS = 4


def bars(block: Bars) -> str:
    """Return a bar for each row, with its figures in columns on the right."""
    right = WIDTH - FIGURE * len(block.heads)
    most = max(bar.value for bar in block.rows) or 1
    parts = [_text(0, 18, block.title, 'faint')]
    for at, head in enumerate(block.heads):
        parts.append(_text(right + FIGURE * (at + 1), 18, head, 'faint', 'end'))
    for row, bar in enumerate(block.rows):
        y = TOP + ROW * row
        parts.append(_text(0, y + 14, bar.label))
        parts.append(_rect(LEFT, y, (right - LEFT) * bar.value / most, BAR, row))
        for at, figure in enumerate(bar.figures):
            parts.append(_text(right + FIGURE * (at + 1), y + 14, figure, '', 'end'))
    told = (f'{bar.label} {" ".join(bar.figures)}' for bar in block.rows)
    return _svg(TOP + ROW * len(block.rows), f'{block.title}: {"; ".join(told)}', parts)


def groups(block: Groups) -> str:
    """Return a group of bars for each row, one bar for each name."""
    most = max(value for _, values in block.rows for value in values) or 1
    thin, names = BAR - 4, len(block.names)
    parts = list(_legend(block.names))
    parts.append(_text(WIDTH, 18, block.title, 'faint', 'end'))
    height = TOP
    for label, values in block.rows:
        parts.append(_text(0, height + thin, label))
        for at, value in enumerate(values):
            width = (WIDTH - LEFT - FIGURE) * value / most
            parts.append(_rect(LEFT, height + thin * at, width, thin - 2, at))
            parts.append(_text(LEFT + width + 6, height + thin * (at + 1) - 3, f'{value:.2f}'))
        height += thin * names + 10
    return _svg(height, block.title, parts)


def timeline(block: Timeline) -> str:
    """Return a column for each period, the series on top of each other, and the marks."""
    periods = max(len(values) for _, values in block.series)
    sums = [sum(values[at] for _, values in block.series) for at in range(periods)]
    most, width, bottom = max(sums) or 1, WIDTH / periods, TOP + GRAPH
    parts = list(_legend([name for name, _ in block.series]))
    parts.append(_text(WIDTH, 18, f'{block.title}, {most:,.0f} at most', 'faint', 'end'))
    for at in range(periods):
        y = float(bottom)
        for number, (_, values) in enumerate(block.series):
            if values[at]:
                height = GRAPH * values[at] / most
                y -= height
                parts.append(_rect(at * width, y, max(width - 1, 1), height, number))
    parts.append(f'<path class="line" d="M0 {bottom}H{WIDTH}"/>')
    for row, mark in enumerate(block.marks):
        x = min(mark.seconds / block.step * width, WIDTH - 1)
        anchor, shift = ('start', 5) if x < WIDTH / 2 else ('end', -5)
        y = bottom + 18 * (row + 1)
        parts.append(f'<path class="mark" d="M{x:.1f} {TOP}V{y}"/>')
        parts.append(_text(x + shift, y, f'{mark.text}, {mark.seconds:.1f} s', '', anchor))
    title = f'{block.title}, in {periods * block.step:.1f} s'
    return _svg(bottom + 18 * len(block.marks) + 8, title, parts)


def _legend(names: Iterable[str]) -> Iterator[str]:
    for at, name in enumerate(names):
        yield _rect(LEFT * at, 6, 12, 12, at)
        yield _text(LEFT * at + 18, 17, name)


def _rect(x: float, y: float, width: float, height: float, colour: int) -> str:
    size = f'width="{width:.1f}" height="{height:.1f}"'
    return f'<rect class="c{colour % COLOURS}" x="{x:.1f}" y="{y:.1f}" {size}/>'


def _text(x: float, y: float, text: str, kind: str = '', anchor: str = 'start') -> str:
    kind = f' class="{kind}"' if kind else ''
    return f'<text x="{x:.1f}" y="{y:.1f}"{kind} text-anchor="{anchor}">{escape(text)}</text>'


def _svg(height: float, title: str, parts: Iterable[str]) -> str:
    """Return the picture, with its title for those who do not see it."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img">'
    return '\n'.join([head, f'<title>{escape(title)}</title>', *parts, '</svg>'])
