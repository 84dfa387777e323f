"""``check``: compare everything that models have stored.

The rule: the command only reads; its status says whether it found a problem.
"""

from __future__ import annotations

from typing import Annotated

import typer

from ...common import DONE, FOUND, Run
from ...completion import models

__all__ = ('ModelTargets', 'main')

ModelTargets = Annotated[
    list[str], typer.Argument(metavar='MODEL', help='package.module:Name', autocompletion=models)
]


def main(run: Run, targets: ModelTargets) -> int:
    """Compare what models have stored, and report what is wrong.

    The command compares objects, counter, index sets and work keys of each model.

    It only reads, in small steps, beside any number of readers and writers.

    Exit status 1: a problem was found.
    """
    fine = True
    for model in [run.model(target) for target in targets]:
        with run.progress(model.__name__) as progress:
            report = model.objects.check(progress)
        run.print(str(report))
        run.data(report.asDict())
        fine = fine and report.ok
    return DONE if fine else FOUND
