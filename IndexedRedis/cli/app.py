"""All commands put together.

The rule: a command is a module of its own with ``register(app)``, and is listed here; what a
command needs beyond typer and rich it imports when it runs.
"""

from __future__ import annotations

from importlib import import_module

import typer

from .. import __version__

__all__ = ('build',)

# In the order of the help text.
MODULES = (
    'demo',
    'mirror',
    'models',
    'info',
    'explain',
    'check',
    'repair',
    'reindex',
    'exporting',
    'importing',
    'serve',
)

SUMMARY = f"""A fast Redis front end for SQL data (IndexedRedis {__version__}).

A MODEL is written package.module:Name; modules in the current folder are found.

Exit status: 0 done; 1 something was found or refused; 2 it failed (wrong usage, no connection,
any error); 130 Ctrl-C; 143 SIGTERM. Commands with more of them say so in their help."""


def build() -> typer.Typer:
    """The typer application with all commands."""
    app = typer.Typer(
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # plain text: the same in a terminal, a pipe and the documents
    )
    app.callback(help=SUMMARY)(_options)
    for name in MODULES:
        import_module(f'{__package__}.commands.{name}').register(app)
    return app


def _options(
    version: bool = typer.Option(False, '--version', help='Show the version and exit.'),
) -> None:
    """``--version`` is answered before this, as it needs no extra."""
