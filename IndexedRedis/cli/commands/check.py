"""``check``: compare all that models have stored.

The rule: it only reads; its status says whether anything is wrong.
"""

from __future__ import annotations

from typing import Annotated

import typer

from ..common import DONE, FOUND, Run, command

__all__ = ('register',)


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(check)


def check(
    run: Run,
    models: Annotated[list[str], typer.Argument(metavar='MODEL', help='package.module:Name')],
) -> int:
    """Compare objects, counter, index sets and work keys of models, and report what is wrong.

    Reads only, in small steps, beside any number of readers and writers.

    Exit status 1: something was found.
    """
    fine = True
    for model in [run.model(target) for target in models]:
        with run.progress(model.__name__) as progress:
            report = model.objects.check(progress)
        run.print(str(report))
        run.data(report.asDict())
        fine = fine and report.ok
    return DONE if fine else FOUND
