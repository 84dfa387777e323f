"""``explain``: what a query would do.

The rule: it prints what ``objects.filter(...).explain()`` says.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ... import Explanation
from ..common import CommandError, Run, command
from ..tables import show

__all__ = ('register',)

# Sets that are shown on a terminal.
_MOST = 20


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(explain)


def explain(
    run: Run,
    target: Annotated[str, typer.Argument(metavar='MODEL', help='package.module:Name')],
    filters: Annotated[
        list[str] | None,
        typer.Argument(metavar='FILTER', help='FIELD=VALUE or FIELD__ne=VALUE.'),
    ] = None,
    null: Annotated[
        list[str] | None,
        typer.Option(metavar='FIELD', help='Filter by null: --null FIELD or --null FIELD__ne.'),
    ] = None,
    analyze: Annotated[
        bool, typer.Option('--analyze', help='Run the query too, and measure it.')
    ] = False,
) -> None:
    """Tell what a query would do: commands, sizes of the sets, how many rows, what may be slow.

    Values are text, which the field converts. Without --analyze no row is fetched.
    """
    model = run.model(target)
    query = model.objects
    for each in filters or ():
        query = query.filter(**_condition(each))
    for name in null or ():
        query = query.filter(**{name: None})
    found = query.explain(analyze)
    run.data(found.asDict())
    if run.out.is_terminal and not run.json:
        _draw(run, found)
    else:
        run.print(str(found))


def _draw(run: Run, found: Explanation) -> None:
    """The same with a table, for a terminal."""
    run.print(found.head())
    data = found.asDict()['sets'][:_MOST]
    rows = [
        (
            'in' if each['included'] else 'not in',
            each['key'] if each['key'].isprintable() else repr(each['key']),
            each['size'],
            'starts here' if each['drives'] else '',
        )
        for each in data
    ]
    show(run, ('', 'set', 'members', ''), rows)
    if len(found.sets) > _MOST:
        run.print(f'  and {len(found.sets) - _MOST:,} more sets')
    run.print(found.tail())


def _condition(text: str) -> dict[str, Any]:
    name, equals, value = text.partition('=')
    if not (name and equals):
        raise CommandError(f'{text!r} is no filter; write FIELD=VALUE or FIELD__ne=VALUE.')
    return {name: value}
