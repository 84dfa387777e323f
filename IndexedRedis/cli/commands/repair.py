"""``repair``: put right what is wrong in what models have stored.

The rule: nothing is changed that nobody agreed to: by ``--yes``, or by answering on a terminal
after seeing what was found.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ... import CheckReport
from ..common import DONE, FOUND, CommandError, Run, command

__all__ = ('register',)


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(repair)


def repair(
    run: Run,
    models: Annotated[list[str], typer.Argument(metavar='MODEL', help='package.module:Name')],
    yes: Annotated[bool, typer.Option('--yes', '-y', help='Do not ask.')] = False,
) -> int:
    """Put right what check finds: rows count, and indexes follow from them.

    On a terminal it shows what it found and asks; without one it needs --yes. Works in small
    steps, beside any number of readers and writers. The models have to be those of the newest
    version of the program: indexes of fields that they do not name are removed.

    Exit status 1: something is left, or you said no.
    """
    if not (yes or run.interactive):
        raise CommandError('repair asks before it changes anything; without a terminal say --yes')
    fine = True
    for model in [run.model(target) for target in models]:
        report = _repaired(run, model) if yes else _asked(run, model)
        run.print(str(report))
        run.data(report.asDict())
        fine = fine and report.ok
    return DONE if fine else FOUND


def _asked(run: Run, model: Any) -> CheckReport:
    """Look first; repair if there is anything, and somebody agrees after seeing it."""
    with run.progress(model.__name__) as progress:
        report: CheckReport = model.objects.check(progress)
    if report.ok:
        return report
    run.log(str(report))
    if not typer.confirm(f'Repair {model.__name__}?', err=True):
        return report
    return _repaired(run, model)


def _repaired(run: Run, model: Any) -> CheckReport:
    with run.progress(model.__name__) as progress:
        report: CheckReport = model.objects.repair(progress)
    return report
