"""What the demo prints: in colour on a terminal, as plain text in a pipe.

The rule: a person reads it, so it is short. Nothing here talks to a database.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console, Group
from rich.padding import Padding
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from .questions import COLUMNS, Answer, Row
from .swap import Report

if TYPE_CHECKING:
    from ..testing.clusters import Node
    from .failover import FailoverReport

FIRST_ROWS = 3
GOOD, BAD = 'green', 'bold red'


def heading(console: Console, number: int, text: str, note: str = '') -> None:
    """Print a numbered step of the demo, with a note."""
    console.print(f'\n[bold]{number}. {text}[/]')
    if note:
        console.print(f'   [dim]{note}[/]')


def progress(console: Console) -> Progress:
    """Return progress bars for the tables; a pipe gets the last state only."""
    return Progress(
        TextColumn('   {task.description:<8}'),
        BarColumn(28, complete_style='cyan', finished_style='cyan'),
        TextColumn('{task.completed:>6,.0f}  {task.fields[state]}'),
        console=console,
    )


def question(console: Console, asked: Answer) -> None:
    """Print a question, its expression, the first rows of its answer, and both times."""
    rows = asked.redis if asked.question.ordered else sorted(asked.redis)
    lines = Group(
        Text(asked.question.text, 'bold'),
        Text(asked.question.code, 'cyan'),
        _head(rows),
        _verdict(asked),
    )
    console.print(Padding(lines, (1, 0, 0, 3), expand=False))


def _head(rows: Sequence[Row]) -> Table | Text:
    if rows and len(rows[0]) == 1:
        return Text(str(rows[0][0]))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name, width in zip(('Track', 'Artist', 'Album', 'Time'), (26, 16, 20, 5), strict=True):
        justify: Any = 'right' if name == 'Time' else 'left'
        table.add_column(name, width=width, no_wrap=True, justify=justify)
    for row in rows[:FIRST_ROWS]:
        value = dict(zip(COLUMNS, row, strict=True))
        minutes, seconds = divmod(round(value['milliseconds'] / 1000), 60)
        table.add_row(value['name'], value['artist'], value['album'], f'{minutes}:{seconds:02}')
    return table


def _verdict(asked: Answer) -> Text:
    rest = len(asked.redis) - FIRST_ROWS
    return Text.assemble(
        f'and {rest:,} more. ' if rest > 0 else '',
        f'IndexedRedis {_ms(asked.redis_time)}, SQL {_ms(asked.sql_time)}, ',
        ('same answer', GOOD) if asked.agrees else ('THE ANSWERS DIFFER', BAD),
    )


def report(console: Console, seen: Report) -> None:
    """Print what a reader saw during the swap."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(justify='right')
    table.add_column()
    table.add_row(_ms(seen.reset_time), 'took the second reset, reading the SQL rows included')
    table.add_row(f'{seen.before:,}', f'reads got the old edition: {seen.sizes[0]:,} tracks')
    table.add_row(f'{seen.after:,}', f'reads got the new edition: {seen.sizes[1]:,} tracks')
    style = GOOD if seen.clean else BAD
    table.add_row(Text(f'{seen.mixtures:,}', style), Text('mixtures of both', style))
    waits = f'was the longest wait, {_ms(seen.usual_wait)} the usual; both run in this process'
    table.add_row(_ms(seen.longest_wait), waits)
    console.print(Padding(table, (1, 0, 0, 3), expand=False))


def failover(console: Console, seen: FailoverReport) -> None:
    """Print what a reader saw while its primary was killed, and the last line."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(justify='right')
    table.add_column()
    table.add_row(f'{seen.before:,}', f'reads before {_at(seen.killed)} was killed')
    table.add_row(f'{seen.after:,}', f'reads after it; now {_at(seen.promoted)} is the primary')
    table.add_row(f'{seen.mirrored:,}', 'reads got the edition that was mirrored afterwards')
    for count, what in ((seen.errors, 'errors'), (seen.mixtures, 'mixtures of both editions')):
        style = BAD if count else GOOD
        table.add_row(Text(f'{count:,}', style), Text(what, style))
    waits = f'was the longest wait, {_ms(seen.usual_wait)} the usual'
    table.add_row(_ms(seen.longest_wait), waits)
    console.print(Padding(table, (1, 0, 0, 3), expand=False))
    if seen.clean:
        console.print(f'\n[{GOOD}]All right:[/] every read gave all tracks, albums and artists.')
    else:
        console.print(f'\n[{BAD}]Not right: a read failed, or saw a mixture.[/]')


def _at(node: Node) -> str:
    return f'{node.host}:{node.port}'


def conclusion(console: Console, answers: Sequence[Answer], seen: Report) -> bool:
    """Print the last line.

    :returns: whether all is right
    """
    wrong = sum(not asked.agrees for asked in answers)
    if wrong or not seen.clean:
        console.print(
            f'\n[{BAD}]Not right: {wrong} of {len(answers)} answers differ from those of SQL, '
            f'{seen.mixtures:,} reads saw a mixture.[/]'
        )
        return False
    console.print(
        f'\n[{GOOD}]All right:[/] the same answers as SQL, and never a mixture of two data sets.'
    )
    return True


def _ms(seconds: float) -> str:
    milliseconds = seconds * 1000
    return f'{milliseconds:.2f} ms' if milliseconds < 10 else f'{milliseconds:,.0f} ms'
