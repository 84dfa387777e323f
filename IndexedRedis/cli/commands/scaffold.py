"""``scaffold``: models and a mirror, written from a schema.

The rule: standard output is a Python module, and nothing else.
"""

from __future__ import annotations

from typing import Annotated

import typer

from ..common import CommandError, Run

__all__ = ('main',)


def main(
    run: Run,
    url: Annotated[
        str | None,
        typer.Argument(
            metavar='DATABASE',
            help='URL of SQLAlchemy; also in DATABASE_URL.',
            envvar='DATABASE_URL',
        ),
    ] = None,
    table: Annotated[
        list[str] | None,
        typer.Option('--table', metavar='NAME', help='Mirror this table or view; may be repeated.'),
    ] = None,
    models: Annotated[
        str | None,
        typer.Option(
            '--sqlalchemy', metavar='package.module:Base', help='Read models of SQLAlchemy instead.'
        ),
    ] = None,
) -> None:
    """Write models and a mirror from the schema of a SQL database.

    For example: scaffold sqlite:///shop.db > shop_mirror.py

    Reads the schema, and whether tables are empty. Comments in the module say what was chosen.
    """
    from ...mirror.scaffold import scaffold_database, scaffold_models

    if models:
        text = scaffold_models(models, run.load(models), url, table or ())
    elif url:
        text = scaffold_database(url, table or ())
    else:
        raise CommandError('Give the URL of a database, or --sqlalchemy package.module:Base.')
    print(text, end='')
