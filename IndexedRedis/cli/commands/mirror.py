"""``mirror``: one run of a mirror, as cron or a systemd timer starts it.

The rule: only with exit status 0 the new data is live.
"""

from __future__ import annotations

from typing import Annotated

import typer

from ...errors import GuardRefusedError, MirrorRunningError, ResetInProgressError
from ..common import DONE, FOUND, CommandError, Run
from ..completion import mirrors

__all__ = ('main',)

RUNNING = 3


def main(
    run: Run,
    target: Annotated[
        str,
        typer.Argument(metavar='MIRROR', help='package.module:name', autocompletion=mirrors),
    ],
    dry_run: Annotated[
        bool, typer.Option('--dry-run', help='Read, convert and check; write nothing.')
    ] = False,
    skip_bad: Annotated[
        bool, typer.Option('--skip-bad', help='Leave out rows that do not fit.')
    ] = False,
    mode: Annotated[
        str | None,
        typer.Option(
            '--mode',
            metavar='full|diff',
            help="Use it instead of the mirror's mode.",
            autocompletion=lambda: ['full', 'diff'],
        ),
    ] = None,
) -> int:
    """Replace the data of a mirror's models with the rows of SQL.

    Readers see the old data of all models, or the new data of all.

    Exit status 0: done. 1: a guard refused the run. 2: it failed. 3: another run is under way.

    With 1, 2 and 3 the old data stays.
    """
    from ...mirror import Mirror

    named = run.load(target)
    if not isinstance(named, Mirror):
        raise CommandError(f'{target} is no Mirror, but a {type(named).__name__}.')
    try:
        with run.progress() as progress:
            report = named.run(dry_run, progress, mode, skip_bad or None)
    except GuardRefusedError as error:
        run.log(str(error))
        run.data({'refused': error.problems})
        return FOUND
    except (MirrorRunningError, ResetInProgressError) as error:
        run.log(str(error))
        run.data({'running': str(error)})
        return RUNNING
    run.print(str(report))
    run.data(report.asDict())
    return DONE
