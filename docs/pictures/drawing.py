"""A drawing in SVG: boxes, texts and arrows, in colours for light and for dark pages.

The colours are CSS variables. ``docs/conf.py`` puts the SVG itself into the page, so the switch of
the theme reaches them. An SVG that is opened alone follows the system.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH = 480  # a phone shows it at three quarters, so texts have 14 pixels and more
LIGHT = {
    'ink': '#1c2530',
    'soft': '#55606d',
    'line': '#7b8794',
    'page': '#ffffff',
    'sql': '#8a4b08',
    'sql-fill': '#fdf0dc',
    'redis': '#a3262a',
    'redis-fill': '#fdeaea',
    'code': '#0b5394',
    'code-fill': '#e6f0fa',
    'new': '#12684f',
    'new-fill': '#e2f5ee',
}
DARK = {
    'ink': '#e8ecf0',
    'soft': '#a9b4bf',
    'line': '#8391a0',
    'page': '#131416',
    'sql': '#f2b66b',
    'sql-fill': '#3a2a12',
    'redis': '#f59a9a',
    'redis-fill': '#3d1b1d',
    'code': '#8cc2f5',
    'code-fill': '#152c42',
    'new': '#78d9b5',
    'new-fill': '#11362b',
}
KINDS = ('sql', 'redis', 'code', 'new')


def _variables(colours: dict[str, str]) -> str:
    return ''.join(f'--{name}:{colour};' for name, colour in colours.items())


STYLE = (
    f'svg.ir{{{_variables(LIGHT)}font-family:system-ui,sans-serif;font-size:15px}}'
    f'@media(prefers-color-scheme:dark){{svg.ir{{{_variables(DARK)}}}}}'
    f'body[data-theme=light] svg.ir{{{_variables(LIGHT)}}}'
    f'body[data-theme=dark] svg.ir{{{_variables(DARK)}}}'
    'svg.ir text{fill:var(--ink);text-anchor:middle}'
    'svg.ir .start{text-anchor:start}svg.ir .end{text-anchor:end}'
    'svg.ir .strong{font-weight:600}svg.ir .small{font-size:14px}'
    'svg.ir .note{font-size:14px;fill:var(--soft)}'
    'svg.ir .mono{font-family:ui-monospace,monospace;font-size:14px}'
    'svg.ir .line{stroke:var(--line);stroke-width:1.5;fill:none}'
    'svg.ir .head{fill:var(--line)}svg.ir .dashed{stroke-dasharray:5 4}'
    'svg.ir .plain{fill:none;stroke:var(--line);stroke-width:1.5}'
) + ''.join(
    f'svg.ir .{kind}{{fill:var(--{kind}-fill);stroke:var(--{kind});stroke-width:1.5}}'
    f'svg.ir text.of-{kind}{{fill:var(--{kind})}}'
    for kind in KINDS
)


class Drawing:
    """A picture that grows by what is drawn.

    :param height: in pixels; the width is always :data:`WIDTH`
    :param label: what the picture shows, for people who do not see it
    """

    def __init__(self, height: int, label: str) -> None:
        self.height, self.label, self.parts = height, label, ['']

    def text(self, x: float, y: float, text: str, classes: str = '') -> None:
        """Write one line. Without ``start`` or ``end`` among the classes, ``x`` is its middle."""
        self.parts.append(f'<text x="{x:g}" y="{y:g}" class="{classes}">{escape(text)}</text>')

    def shape(self, path: str, classes: str) -> None:
        """Draw a path."""
        self.parts.append(f'<path d="{path}" class="{classes}"/>')

    def box(
        self,
        place: tuple[float, float, float, float],
        kind: str,
        lines: Sequence[str] = (),
        inside: str = 'small',
    ) -> None:
        """Draw a box with lines of text in its middle, of which the first is strong.

        :param place: left, top, width, height
        :param kind: one of :data:`KINDS`, or other classes
        :param inside: the classes of the lines after the first
        """
        x, y, width, height = place
        self.parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6" '
            f'class="{kind}"/>'
        )
        start = y + height / 2 + 5 - 9.5 * (len(lines) - 1)
        for at, line in enumerate(lines):
            self.text(x + width / 2, start + 19 * at, line, inside if at else 'strong')

    def store(self, place: tuple[float, float, float, float], kind: str, lines: list[str]) -> None:
        """Draw a cylinder, as databases are drawn."""
        x, y, width, height = place
        bend = f'a{width / 2:g} 9 0 0 0 {width:g} 0'
        self.shape(f'M{x:g} {y + 9:g}v{height - 18:g}{bend}v{18 - height:g}', kind)
        self.shape(f'M{x:g} {y + 9:g}{bend}a{width / 2:g} 9 0 0 0 {-width:g} 0', kind)
        start = y + height / 2 + 13 - 9.5 * (len(lines) - 1)
        for at, line in enumerate(lines):
            self.text(x + width / 2, start + 19 * at, line, 'small' if at else 'strong')

    def arrow(self, *points: tuple[float, float], classes: str = '') -> None:
        """Draw a line through the points, with a head at the last one."""
        (x, y), (end_x, end_y) = points[-2:]
        length = ((end_x - x) ** 2 + (end_y - y) ** 2) ** 0.5
        along, across = (end_x - x) / length, (end_y - y) / length
        path = 'M' + 'L'.join(f'{at:g} {down:g}' for at, down in points)
        self.shape(path, f'line {classes}'.strip())
        back_x, back_y = end_x - 9 * along, end_y - 9 * across
        left = f'{back_x - 4.5 * across:.1f} {back_y + 4.5 * along:.1f}'
        right = f'{back_x + 4.5 * across:.1f} {back_y - 4.5 * along:.1f}'
        self.shape(f'M{end_x:g} {end_y:g}L{left}L{right}Z', 'head')

    def svg(self) -> str:
        """Return the file."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.height}" '
            f'class="ir" role="img" aria-label="{escape(self.label)}">\n<style>{STYLE}</style>'
            + '\n'.join(self.parts)
            + '\n</svg>\n'
        )
