"""``demo``: the main job of the library in a minute.

The rule: the demo runs on servers of its own, so it has no ``--url``.
"""

from __future__ import annotations

from typing import Annotated

import typer

from ..common import DONE, CommandError, Run

__all__ = ('main',)


def main(
    run: Run,
    cluster: Annotated[
        bool, typer.Option('--cluster', help='Show a cluster that loses a primary.')
    ] = False,
    html: Annotated[
        str | None,
        typer.Option('--html', metavar='FILE', help='Write the same as a page with charts, too.'),
    ] = None,
    shop: Annotated[
        str | None,
        typer.Option('--shop', metavar='FILE', help='Only store the shop in a new SQLite file.'),
    ] = None,
) -> int:
    """Mirror a shop from SQL, compare with SQL, and replace all data while clients read.

    SQL is SQLite, and MariaDB and PostgreSQL where their programs and drivers are installed. Then a
    reader sees commits of PostgreSQL, and a primary is killed. It takes about a minute.

    With --cluster, mirror it into three primaries with a replica each, and kill a primary while a
    reader reads.
    """
    from ... import demo

    if shop:
        if cluster or html:
            raise CommandError('--shop only stores the shop: give it alone.')
        demo.store(shop)
        run.log(f'The shop is in {shop}.')
        return DONE
    return demo.run(cluster, html)
