"""``demo``: the main job of the library in a few seconds.

The rule: the demo runs on a server of its own, so it has no ``--url``.
"""

from __future__ import annotations

from typing import Annotated

import typer

from ..common import Run

__all__ = ('main',)


def main(
    run: Run,
    cluster: Annotated[
        bool, typer.Option('--cluster', help='Show a cluster that loses a primary.')
    ] = False,
) -> int:
    """Mirror a music catalogue from SQL, query it, and replace it while a reader reads.

    With --cluster, mirror it into three primaries with a replica each, and kill a primary while a
    reader reads.
    """
    from ...demo import run as run_demo

    return run_demo(cluster)
