"""The typer application with all commands.

The rule: a command is a module in ``commands/`` with a function ``main``, and is listed here. It
imports packages beyond typer and rich when it runs.
"""

from __future__ import annotations

from importlib import import_module

import typer

from .. import __version__
from . import completion
from .common import add_command

__all__ = ('build',)

# By name, in the order of the help text: the module, and the common options that it lacks.
COMMANDS = {
    'demo': ('demo', ('url', 'json')),
    'mirror': ('mirror.command', ()),
    'scaffold': ('scaffold', ('url', 'json')),
    'stubs': ('stubs', ('url', 'json')),
    'models': ('models', ()),
    'info': ('info', ()),
    'explain': ('explain', ()),
    'check': ('data.check', ()),
    'repair': ('data.repair', ()),
    'reindex': ('data.reindex', ()),
    'export': ('data.exporting', ()),
    'import': ('data.importing', ()),
    'serve': ('serve', ('url',)),
    'admin': ('admin', ()),
}

SUMMARY = f"""A fast Redis front end for SQL data (IndexedRedis {__version__}).

Write a MODEL as package.module:Name; modules in the current folder are found.

Exit status: 0 done; 1 a problem was found, or the command refused; 2 it failed (wrong usage, no
connection, any error); 130 Ctrl-C; 143 SIGTERM. The help of a command names further ones."""


def build() -> typer.Typer:
    """Return the typer application with all commands."""
    completion.join_words()
    completion.complete_at_first_tab()
    app = typer.Typer(
        no_args_is_help=True,
        context_settings={'help_option_names': ['-h', '--help']},
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # plain text: the same in a terminal, a pipe and the documents
    )
    app.callback(help=SUMMARY)(_options)
    for name, (module, without) in COMMANDS.items():
        function = import_module(f'{__package__}.commands.{module}').main
        add_command(app, name, function, without)
    return app


def _options(
    version: bool = typer.Option(False, '--version', help='Show the version and exit.'),
) -> None:
    """Do nothing: ``__main__`` answers ``--version``, which needs no extra."""
