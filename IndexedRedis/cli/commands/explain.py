"""``explain``: the commands of a query.

The rule: it prints the result of ``objects.filter(...).explain()``.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ... import Explanation
from ..common import CommandError, ModelTarget, Run
from ..tables import show

__all__ = ('main',)

# Index sets that a terminal shows.
MAX_SHOWN_SETS = 20


def main(
    run: Run,
    target: ModelTarget,
    filters: Annotated[
        list[str] | None,
        typer.Argument(metavar='FILTER', help='FIELD=VALUE or FIELD__ne=VALUE.'),
    ] = None,
    null: Annotated[
        list[str] | None,
        typer.Option(metavar='FIELD', help='Filter by null: --null FIELD or --null FIELD__ne.'),
    ] = None,
    analyze: Annotated[
        bool, typer.Option('--analyze', help='Also run the query, and measure it.')
    ] = False,
) -> None:
    """Show the commands of a query, and what may be slow.

    The report also has the sizes of the sets, and how many rows match.

    Values are text, which the field converts. Without --analyze the command fetches no row.
    """
    model = run.model(target)
    query = model.objects
    for text in filters or ():
        query = query.filter(**_condition(text))
    for name in null or ():
        query = query.filter(**{name: None})
    explanation = query.explain(analyze)
    run.data(explanation.asDict())
    if run.out.is_terminal and not run.json:
        _draw(run, explanation)
    else:
        run.print(str(explanation))


def _draw(run: Run, explanation: Explanation) -> None:
    """Print the explanation with a table, for a terminal."""
    run.print(explanation.head())
    rows = [
        (
            each['key'] if each['key'].isprintable() else repr(each['key']),
            each['size'],
            'in it' if each['included'] else 'not in it',
            'starts here' if each['drives'] else '',
        )
        for each in explanation.asDict()['sets'][:MAX_SHOWN_SETS]
    ]
    show(run, ('set', 'members', 'rows are', 'set algebra'), rows, rare=('set algebra',))
    if len(explanation.sets) > MAX_SHOWN_SETS:
        run.print(f'  and {len(explanation.sets) - MAX_SHOWN_SETS:,} more sets')
    run.print('', explanation.tail())


def _condition(text: str) -> dict[str, Any]:
    name, equals, value = text.partition('=')
    if not (name and equals):
        raise CommandError(f'{text!r} is not a filter; write FIELD=VALUE or FIELD__ne=VALUE.')
    return {name: value}
