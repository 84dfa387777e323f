"""``python -m IndexedRedis``, and the script ``indexedredis``: the commands.

The rule: this file starts the commands of ``cli/``. Without the extra ``cli`` it says how to
install it, and ends with status 2.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from . import __version__
from .errors import MissingExtraError

if TYPE_CHECKING:
    from typer import Typer

SCRIPT = 'indexedredis'
# Shells complete the name of a program, so `python -m IndexedRedis` shows the script's completion.
COMPLETION = ('--install-completion', '--show-completion')
EVERYTHING = "pip install 'indexedredis[cli,embedded,sql]'"


def main() -> None:
    """Run the command that ``sys.argv`` names, and end the program with its status."""
    if sys.argv[1:2] == ['--version']:  # needs no extra
        print(f'IndexedRedis {__version__}')
        return
    completes = sys.argv[1:2] and sys.argv[1].startswith(COMPLETION)
    try:
        command_line()(prog_name=SCRIPT if completes else program())
    except MissingExtraError as error:
        print(f'{error}\nFor all commands: {EVERYTHING}', file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:  # while it imports the command; later the command ends itself
        print('interrupted', file=sys.stderr)
        sys.exit(130)


def program() -> str:
    """Return how the user called this program."""
    # Python gives a module that it runs by `-m` a spec; a script has none.
    if getattr(sys.modules['__main__'], '__spec__', None) is not None:
        return 'python -m IndexedRedis'
    return Path(sys.argv[0]).stem or SCRIPT


def command_line() -> Typer:
    """Return the commands as a typer application.

    :raises MissingExtraError: if the extra ``cli`` is not installed
    """
    try:
        import rich as _rich  # noqa: F401  (the commands print with it)
        import typer as _typer  # noqa: F401
    except ImportError:
        raise MissingExtraError('cli', program()) from None

    from .cli.app import build

    return build()


if __name__ == '__main__':
    main()
