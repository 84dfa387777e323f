"""``mirror``: one run of a mirror, as cron starts it; or runs, or following, until it is stopped.

The rule: only with exit status 0 the new data is live.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ....errors import GuardRefusedError, MirrorRunningError, ResetInProgressError
from ...common import DONE, FOUND, CommandError, Run
from ...completion import mirrors
from .ending import follow_log, run_again
from .notify import Notifier

if TYPE_CHECKING:
    from ....mirror import Mirror

__all__ = ('main',)

RUNNING = 3

Options = Mapping[str, Any]
Action = Callable[[Run, 'Mirror', Options], int]


def main(
    run: Run,
    target: Annotated[
        str,
        typer.Argument(metavar='MIRROR', help='package.module:name', autocompletion=mirrors),
    ],
    dry_run: Annotated[
        bool,
        typer.Option(
            '--dry-run', help='Read, convert and check; or, with --prepare, print. Write nothing.'
        ),
    ] = False,
    skip_bad: Annotated[
        bool, typer.Option('--skip-bad', help='Leave out rows that do not fit.')
    ] = False,
    mode: Annotated[
        str | None,
        typer.Option(
            '--mode',
            metavar='full|diff|changed',
            help="Use it instead of the mirror's mode.",
            autocompletion=lambda: ['full', 'diff', 'changed'],
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option('--workers', metavar='NUMBER', help='Load with so many processes.', min=1),
    ] = None,
    every: Annotated[
        str | None,
        typer.Option('--every', metavar='TIME', help='Run again and again, such as every 5m.'),
    ] = None,
    follow: Annotated[
        bool, typer.Option('--follow', help='Apply each commit of the database as it happens.')
    ] = False,
    prepare: Annotated[
        bool, typer.Option('--prepare', help='Make what the database needs for --follow.')
    ] = False,
    resync: Annotated[
        bool, typer.Option('--resync', help='With --follow: replace all data first.')
    ] = False,
    slot_limit: Annotated[
        str | None,
        typer.Option(
            '--slot-limit',
            metavar='SIZE',
            help='With --follow: how much log PostgreSQL may keep, such as 10GB.',
        ),
    ] = None,
    unfollow: Annotated[
        bool, typer.Option('--unfollow', help='Remove what --prepare made in the database.')
    ] = False,
    status: Annotated[
        bool, typer.Option('--status', help='Show how far the data follows the database.')
    ] = False,
) -> int:
    """Replace the data of a mirror's models with the rows of SQL.

    Readers see the old data of all models, or the new data of all.

    Exit status 0: done, or stopped by Ctrl-C or SIGTERM with --follow or --every. 1: a guard
    refused the rows; --status: nothing follows. 2: it failed. 3: another run is under way.

    With 1, 2 and 3 the old data stays.
    """
    options = {
        'dry_run': dry_run,
        'skip_bad': skip_bad,
        'mode': mode,
        'workers': workers,
        'every': every,
        'follow': follow,
        'prepare': prepare,
        'resync': resync,
        'slot_limit': slot_limit,
        'unfollow': unfollow,
        'status': status,
    }
    action = action_of(options)
    mirror = run.mirror(target)
    try:
        return action(run, mirror, options)
    except GuardRefusedError as error:
        run.log(str(error))
        run.data({'refused': error.problems})
        return FOUND
    except (MirrorRunningError, ResetInProgressError) as error:
        run.log(str(error))
        run.data({'running': str(error)})
        return RUNNING


def action_of(options: Options) -> Action:
    """Return what the options ask for.

    :raises CommandError: if some of them exclude each other
    """
    given = {name for name, value in options.items() if value not in (None, False)}
    named = [name for name in ACTIONS if name in given]
    name = named[0] if named else ''
    action, others = ACTIONS[name] if named else (_once, {'dry_run', 'skip_bad', 'mode', 'workers'})
    excluded = sorted(given - others - {name})
    if not excluded:
        return action
    option = f'--{excluded[0].replace("_", "-")}'
    if not named:
        raise CommandError(f'{option} needs --follow.')
    hint = HINTS.get((name, excluded[0]), '')
    raise CommandError(f'--{name} and {option} exclude each other.{hint}')


def _once(run: Run, mirror: Mirror, options: Options) -> int:
    with run.progress() as progress:
        report = mirror.run(
            options['dry_run'],
            progress,
            options['mode'],
            options['skip_bad'] or None,
            options['workers'],
        )
    run.print(str(report))
    run.data(report.asDict())
    return DONE


def _prepare(run: Run, mirror: Mirror, options: Options) -> int:
    from .display import messages

    with messages(run, Notifier()):
        statements = mirror.prepare(options['dry_run'])
    return _show_statements(run, statements)


def _unfollow(run: Run, mirror: Mirror, options: Options) -> int:
    return _show_statements(run, mirror.unfollow())


def _show_statements(run: Run, statements: list[str]) -> int:
    for each in statements:
        run.print(f'{each};')
    run.data({'statements': statements})
    if not statements:
        run.log('nothing to do')
    return DONE


def _status(run: Run, mirror: Mirror, options: Options) -> int:
    from .display import text_of

    status = mirror.status()
    run.print(text_of(status) if status else 'The data does not follow a database.')
    run.data(status and status.asDict())
    return FOUND if status is None or status.waits else DONE


# What to do instead of two options that exclude each other.
HINTS = {('follow', 'dry_run'): ' --prepare --dry-run shows what the database needs.'}
# By the option that asks for it: what it does, and the options that it takes. An option stands
# after those that may be given with it.
ACTIONS: dict[str, tuple[Action, set[str]]] = {
    'follow': (follow_log, {'prepare', 'resync', 'slot_limit'}),
    'every': (run_again, {'skip_bad', 'mode', 'workers'}),
    'unfollow': (_unfollow, set()),
    'status': (_status, set()),
    'prepare': (_prepare, {'dry_run'}),
}
