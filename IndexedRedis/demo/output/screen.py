"""The demo on the screen: in colour on a terminal, as plain text in a pipe.

The rule: a part fits 80 columns and 24 rows, and wider screens are used up to :data:`WIDEST`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from functools import singledispatchmethod

from rich.console import Console
from rich.padding import Padding
from rich.status import Status
from rich.table import Table
from rich.text import Text as Line

from .blocks import Asked, Bars, Block, Commands, Facts, Groups, Part, Text, Timeline

__all__ = ('Screen',)

WIDEST = 140
LEFT = 3  # columns before each block
GOOD, BAD = 'green', 'bold red'
COLOURS = ('cyan', 'magenta', 'yellow', 'blue', 'green')
LEVELS = ' ▁▂▃▄▅▆▇█'
FULL = '█'
FIGURES = 10  # columns of a figure
BREAK_BEFORE = ').'  # where code may be broken
GOES_ON = ' \\'  # at the end of a line of a command


class Screen:
    """Prints parts to standard output."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self._width = min(self.console.width, WIDEST) - LEFT

    def title(self, text: str) -> None:
        """Print the first line."""
        self.console.print(Line(text, 'bold'))

    def heading(self, part: Part) -> None:
        """Print the heading of a part, and its note."""
        self.console.print()
        self.console.print(Line(f'{part.number}. {part.title}', 'bold'))
        if part.note:
            self._paragraph(Line(part.note, 'dim'))

    def working(self, what: str) -> Status:
        """Return a spinner, which a terminal shows until its block ends."""
        return self.console.status(what)

    def show(self, blocks: Sequence[Block]) -> None:
        """Print blocks, with an empty line before each but questions that follow each other."""
        before: Block | None = None
        for block in blocks:
            if not (isinstance(block, Asked) and isinstance(before, Asked)):
                self.console.print()
            self._draw(block)
            before = block

    def _paragraph(self, text: Line) -> None:
        for line in text.wrap(self.console, self._width):
            line.rstrip()
            self.console.print(Line(' ' * LEFT) + line)

    def _print(self, what: Line | Table) -> None:
        self.console.print(Padding(what, (0, 0, 0, LEFT), expand=False), width=self._width + LEFT)

    @singledispatchmethod
    def _draw(self, block: Block) -> None:
        raise NotImplementedError(type(block))

    @_draw.register
    def _(self, block: Text) -> None:
        self._paragraph(Line(block.text, _style(block.right)))

    @_draw.register
    def _(self, block: Facts) -> None:
        table = _table()
        table.add_column(justify='right', no_wrap=True)
        table.add_column()
        for fact in block.rows:
            table.add_row(*(Line(text, _style(fact.right)) for text in (fact.figure, fact.text)))
        self._print(table)

    @_draw.register
    def _(self, block: Asked) -> None:
        self._print(Line(block.text, 'bold'))
        for line in folded(block.code, self._width):
            self._print(Line(line, 'cyan'))
        answer = Line(f'→ {block.answer}')
        answer.truncate(self._width, overflow='ellipsis')
        self._print(answer)

    @_draw.register
    def _(self, block: Groups) -> None:
        table = _table(self._width)
        table.add_column(block.title, no_wrap=True)
        for name, colour in zip(block.names, COLOURS, strict=False):
            table.add_column(Line(name, colour), justify='right', no_wrap=True)
        for label, values in block.rows:
            table.add_row(label, *(f'{value:.2f}' for value in values))
        self._print(table)

    @_draw.register
    def _(self, block: Bars) -> None:
        labels = max(len(bar.label) for bar in block.rows) + 2
        room = self._width - labels - (FIGURES + 1) * len(block.heads)
        most = max(bar.value for bar in block.rows) or 1
        heads = ''.join(f' {head:>{FIGURES}}' for head in block.heads)
        self._print(Line(f'{block.title:<{labels + room}}'[: labels + room] + heads))
        for bar, colour in zip(block.rows, COLOURS, strict=False):
            length = max(1, round(room * bar.value / most))
            self._print(
                Line.assemble(
                    f'{bar.label:<{labels}}',
                    (f'{FULL * length:<{room}}', colour),
                    ''.join(f' {figure:>{FIGURES}}' for figure in bar.figures),
                )
            )

    @_draw.register
    def _(self, block: Timeline) -> None:
        labels = max(len(name) for name, _ in block.series) + 2
        periods = max(len(values) for _, values in block.series)
        room = self._width - labels
        rows = [(name, resampled(values, periods, room)) for name, values in block.series]
        most = max(max(values) for _, values in rows) or 1
        self._print(Line(f'{block.title}: {_round(most)} at most, {periods * block.step:.1f} s'))
        for (name, values), colour in zip(rows, COLOURS, strict=False):
            graph = ''.join(_level(value, most) for value in values)
            self._print(Line.assemble(f'{name:<{labels}}', (graph, colour)))
        for mark in block.marks:
            at = min(int(mark.seconds / (periods * block.step) * room), room - 1)
            text = f'↑ {mark.text}' if at < room // 2 else f'{mark.text} ↑'
            at = at if at < room // 2 else at - len(text) + 1
            self._print(Line(' ' * (labels + at) + text, 'dim'))

    @_draw.register
    def _(self, block: Commands) -> None:
        self._print(Line(block.title, 'bold'))
        for command, purpose in block.rows:
            self._print(Line(purpose, 'dim'))
            for line in continued(command, self._width):
                self._print(Line(line, 'cyan'))


def _table(width: int | None = None) -> Table:
    """Return a table without lines; one that fills a width has a line of heads."""
    filled = width is not None
    return Table(
        box=None,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        width=width,
        header_style='',
        show_header=filled,
    )


def _style(right: bool | None) -> str:
    return '' if right is None else GOOD if right else BAD


def folded(code: str, width: int) -> list[str]:
    """Return code in lines of at most this width, broken before a method where it must be."""
    lines = [code]
    while len(lines[-1]) > width and (at := lines[-1].rfind(BREAK_BEFORE, 1, width)) > 0:
        first = lines.pop()
        lines += [first[: at + 1], f'    {first[at + 1 :]}']
    return lines


def continued(command: str, width: int) -> list[str]:
    """Return a command in lines of at most this width, as a shell reads them.

    One whose words are quoted stays in one line.
    """
    if len(command) <= width or "'" in command:
        return [command]
    lines = textwrap.wrap(
        command,
        width - len(GOES_ON),
        subsequent_indent='    ',
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [*(f'{line}{GOES_ON}' for line in lines[:-1]), lines[-1]]


def resampled(values: Sequence[float], periods: int, columns: int) -> list[float]:
    """Return the mean of the periods that each column is of."""
    sampled = []
    for column in range(columns):
        start = column * periods // columns
        end = max(start + 1, (column + 1) * periods // columns)
        part = values[start:end]
        sampled.append(sum(part) / (end - start))
    return sampled


def _level(value: float, most: float) -> str:
    """Return a block as high as the value; what is not nothing is seen."""
    return LEVELS[0] if not value else LEVELS[max(1, round(value / most * (len(LEVELS) - 1)))]


def _round(value: float) -> str:
    return f'{value:,.0f}'
