"""``demo``: a first look in a few seconds.

The rule: it lives on a server of its own, so there is no ``--url``.
"""

from __future__ import annotations

import typer

from ..common import Run, command

__all__ = ('register',)


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, without=('url', 'json'))(demo)


def demo(run: Run) -> int:
    """Mirror a music catalogue from SQL, ask it questions, replace it under a reader."""
    from ...demo import run as run_demo

    return run_demo()
