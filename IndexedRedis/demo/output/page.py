"""The demo as one page.

The rule: the page needs no other file and no network, and is readable in light and dark.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import singledispatch
from html import escape

from . import charts
from .blocks import Asked, Bars, Block, Commands, Facts, Groups, Part, Text, Timeline

__all__ = ('page',)

STYLE = """
:root { color-scheme: light dark; --ground: #fff; --ink: #1d2433; --faint: #5b6475;
  --line: #d8dce4; --box: #f4f6f9; --good: #1a7f37; --bad: #c62828;
  --c0: #0b7285; --c1: #9c36b5; --c2: #b35c00; --c3: #3b5bdb; }
@media (prefers-color-scheme: dark) { :root { --ground: #12161f; --ink: #e6e9ef;
  --faint: #9aa4b5; --line: #333b4a; --box: #1b212d; --good: #5dd27a; --bad: #ff7b72;
  --c0: #3bc9db; --c1: #da77f2; --c2: #ffa94d; --c3: #91a7ff; } }
body { margin: 0 auto; max-width: 860px; padding: 2rem 1rem 4rem; background: var(--ground);
  color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.25; } h2 { font-size: 1.25rem; margin-top: 3rem; }
p, li { max-width: 46rem; } .note, .about { color: var(--faint); }
.good { color: var(--good); font-weight: 600; } .bad { color: var(--bad); font-weight: 600; }
code, pre { font: 0.875rem/1.5 ui-monospace, monospace; overflow-wrap: anywhere;
  white-space: pre-wrap; }
pre { background: var(--box); border-radius: 6px; margin: 0.25rem 0 1rem; padding: 0.6rem 0.8rem; }
.asked { margin: 1rem 0; } .asked b, .asked code { display: block; }
.asked code { color: var(--c0); } .asked span { color: var(--faint); }
table { border-collapse: collapse; margin: 1rem 0; } .wide { overflow-x: auto; }
th { white-space: nowrap; }
td, th { border-top: 1px solid var(--line); padding: 0.25rem 0.9rem 0.25rem 0; text-align: left;
  vertical-align: top; } td.figure, th.figure { text-align: right; white-space: nowrap;
  font-variant-numeric: tabular-nums; } tr:first-child > * { border-top: 0; }
svg { display: block; height: auto; margin: 1rem 0; min-width: 640px; width: 100%; }
svg text { fill: var(--ink); font: 13px system-ui, sans-serif; } svg .faint { fill: var(--faint); }
svg .line { stroke: var(--line); } svg .mark { stroke: var(--ink); stroke-dasharray: 4 3; }
svg .c0 { fill: var(--c0); } svg .c1 { fill: var(--c1); } svg .c2 { fill: var(--c2); }
svg .c3 { fill: var(--c3); }
""".strip()


def page(title: str, about: Sequence[str], parts: Sequence[Part], end: Sequence[Block]) -> str:
    """Return the page as HTML.

    :param about: sentences on what was measured on what
    :param parts: of the demo
    :param end: blocks below all parts
    """
    moment = datetime.now(UTC).strftime('%Y-%m-%d %H:%M UTC')
    body = [
        f'<h1>{escape(title)}</h1>',
        f'<p class="about">{"<br>".join(map(escape, (f"Measured on {moment}.", *about)))}</p>',
        *(line for part in parts for line in _part(part)),
        *map(draw, end),
    ]
    return '\n'.join([
        '<!doctype html>',
        '<html lang="en">',
        '<head>',
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<title>{escape(title)}</title>',
        f'<style>\n{STYLE}\n</style>',
        '</head>',
        '<body>',
        *body,
        '</body>',
        '</html>',
        '',
    ])  # fmt: skip


def _part(part: Part) -> Iterable[str]:
    yield f'<h2>{part.number}. {escape(part.title)}</h2>'
    if part.note:
        yield f'<p class="note">{escape(part.note)}</p>'
    yield from map(draw, part.blocks)


@singledispatch
def draw(block: Block) -> str:
    """Return a block as HTML."""
    raise NotImplementedError(type(block))


@draw.register
def _(block: Text) -> str:
    return f'<p{_kind(block.right)}>{escape(block.text)}</p>'


@draw.register
def _(block: Facts) -> str:
    rows = (
        f'<tr><td class="figure"><span{_kind(fact.right)}>{escape(fact.figure)}</span></td>'
        f'<td>{escape(fact.text)}</td></tr>'
        for fact in block.rows
    )
    return f'<table>{"".join(rows)}</table>'


@draw.register
def _(block: Asked) -> str:
    return (
        f'<div class="asked"><b>{escape(block.text)}</b><code>{escape(block.code)}</code>'
        f'<span>{escape(block.answer)}</span></div>'
    )


@draw.register
def _(block: Groups) -> str:
    heads = ''.join(f'<th class="figure">{escape(name)}</th>' for name in block.names)
    rows = (
        f'<tr><td>{escape(label)}</td>'
        + ''.join(f'<td class="figure">{value:.2f}</td>' for value in values)
        + '</tr>'
        for label, values in block.rows
    )
    table = f'<tr><th>{escape(block.title)}</th>{heads}</tr>{"".join(rows)}'
    return f'{_wide(charts.groups(block))}\n{_wide(f"<table>{table}</table>")}'


@draw.register
def _(block: Bars) -> str:
    return _wide(charts.bars(block))


@draw.register
def _(block: Timeline) -> str:
    return _wide(charts.timeline(block))


@draw.register
def _(block: Commands) -> str:
    rows = (
        f'<p>{escape(purpose)}</p>\n<pre>{escape(command)}</pre>' for command, purpose in block.rows
    )
    return '\n'.join([f'<h2>{escape(block.title.removesuffix(":"))}</h2>', *rows])


def _wide(what: str) -> str:
    """Return what scrolls by itself on a narrow screen."""
    return f'<div class="wide">{what}</div>'


def _kind(right: bool | None) -> str:
    return '' if right is None else f' class="{"good" if right else "bad"}"'
