"""``mirror``: one run of a mirror, as cron or a systemd timer calls it.

The rule: the exit status says what became of the data, and it is the new data only with status 0.
"""

from __future__ import annotations

from typing import Annotated

import typer

from ...errors import GuardRefusedError, MirrorRunningError, ResetInProgressError
from ..common import DONE, FOUND, CommandError, Run, command

__all__ = ('register',)

RUNNING = 3


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(mirror)


def mirror(
    run: Run,
    target: Annotated[str, typer.Argument(metavar='MIRROR', help='package.module:name')],
    dry_run: Annotated[
        bool, typer.Option('--dry-run', help='Read, convert and judge; write nothing.')
    ] = False,
    skip_bad: Annotated[
        bool, typer.Option('--skip-bad', help='Leave rows out that do not fit.')
    ] = False,
    mode: Annotated[
        str | None,
        typer.Option('--mode', metavar='full|diff', help='Instead of the mode of the mirror.'),
    ] = None,
) -> int:
    """Replace the data of a mirror's models by what SQL says, all in one moment.

    Exit status 0: done. 1: a guard refused it. 2: it failed. 3: another run is under way.

    With 1, 2 and 3 the old data stays.
    """
    from ...mirror import Mirror

    found = run.load(target)
    if not isinstance(found, Mirror):
        raise CommandError(f'{target} is no Mirror, but a {type(found).__name__}.')
    try:
        with run.progress() as progress:
            report = found.run(dry_run, progress, mode, skip_bad or None)
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
