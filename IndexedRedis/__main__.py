"""``python -m IndexedRedis``, and the script ``indexedredis``: the commands.

The rule: this file starts the commands of ``cli/``. Without the extra ``cli`` it says how to
install it, and ends with status 2.
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
    """Run the command that ``sys.argv`` names, and end the program with its status."""
    if sys.argv[1:2] == ['--version']:  # needs no extra
        print(f'IndexedRedis {__version__}')
        return
    try:
        command_line()(prog_name=PROGRAM)
    except MissingExtraError as error:
        print(f'{error}\nFor all commands: {EVERYTHING}', file=sys.stderr)
        sys.exit(2)


def command_line() -> Typer:
    """Return the commands as a typer application.

    :raises MissingExtraError: if the extra ``cli`` is not installed
    """
    try:
        import rich as _rich  # noqa: F401  (the commands print with it)
        import typer as _typer  # noqa: F401
    except ImportError:
        raise MissingExtraError('cli', PROGRAM) from None

    from .cli.app import build

    return build()


if __name__ == '__main__':
    main()
