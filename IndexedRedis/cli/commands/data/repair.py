"""``repair``: repair what models have stored.

The rule: nothing changes unless somebody agreed: by ``--yes``, or on a terminal after seeing the
problems.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .... import CheckReport
from ...common import DONE, FOUND, CommandError, Run
from .check import ModelTargets

__all__ = ('main',)


def main(
    run: Run,
    models: ModelTargets,
    yes: Annotated[bool, typer.Option('--yes', '-y', help='Do not ask.')] = False,
) -> int:
    """Repair what check finds, after asking.

    The command takes the rows for right, and changes the index sets.

    On a terminal the command shows what it found and asks; without one it needs --yes. It works in
    small steps, beside any number of readers and writers. Use the models of the newest version of
    your program: the command removes index sets of fields that they do not name.

    Exit status 1: a problem is left, or you said no.
    """
    if not (yes or run.interactive):
        raise CommandError('repair asks before it changes anything; without a terminal say --yes')
    fine = True
    for model in [run.model(target) for target in models]:
        report = _repair(run, model) if yes else _ask(run, model)
        run.print(str(report))
        run.data(report.asDict())
        fine = fine and report.ok
    return DONE if fine else FOUND


def _ask(run: Run, model: Any) -> CheckReport:
    """Check, and repair if there is a problem and somebody agrees after seeing it."""
    with run.progress(model.__name__) as progress:
        report: CheckReport = model.objects.check(progress)
    if report.ok:
        return report
    run.log(str(report))
    if not typer.confirm(f'Repair {model.__name__}?', err=True):
        return report
    return _repair(run, model)


def _repair(run: Run, model: Any) -> CheckReport:
    with run.progress(model.__name__) as progress:
        report: CheckReport = model.objects.repair(progress)
    return report
