"""``python -m IndexedRedis``: the commands.

The rule: this file only finds the command; what a command does lives elsewhere and is imported
when it runs. Without the extra ``cli`` it says how to get it and ends with status 2.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from . import __version__
from .errors import MissingExtraError

if TYPE_CHECKING:
    from typer import Typer

PROGRAM = 'python -m IndexedRedis'
EVERYTHING = "pip install 'indexedredis[cli,embedded,sql]'"


def main() -> None:
    """Run the command that ``sys.argv`` names; ends the program with the status of the command."""
    if '--version' in sys.argv[1:]:  # answered here, as it needs no extra
        print(f'IndexedRedis {__version__}')
        return
    try:
        command_line()(prog_name=PROGRAM)
    except MissingExtraError as error:
        print(f'{error}\nAll that the commands need: {EVERYTHING}', file=sys.stderr)
        sys.exit(2)


def command_line() -> Typer:
    """The commands as a typer application.

    :raises MissingExtraError: the extra ``cli`` is not installed
    """
    try:
        import rich as _rich  # noqa: F401  (typer alone would do, but the commands print with it)
        import typer
    except ImportError:
        raise MissingExtraError('cli', PROGRAM) from None

    app = typer.Typer(add_completion=False, no_args_is_help=True)

    @app.callback()
    def options(
        version: bool = typer.Option(False, '--version', help='Show the version and exit.'),
    ) -> None:
        """A fast Redis front end for SQL data."""

    @app.command()
    def demo() -> None:
        """Mirror a music catalogue from SQL, ask it questions, replace it under a reader."""
        from .demo import run

        raise typer.Exit(run())

    return app


if __name__ == '__main__':
    main()
