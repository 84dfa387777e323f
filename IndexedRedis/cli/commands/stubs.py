"""``stubs``: what type checkers and editors read beside a module of models.

The rule: standard output is the ``.pyi`` file, and nothing else.
"""

from __future__ import annotations

from typing import Annotated

import typer

from ..common import Run
from ..targets import load_module

__all__ = ('main',)


def main(
    run: Run,
    module: Annotated[str, typer.Argument(metavar='MODULE', help='package.module')],
) -> None:
    """Write a stub of a module whose models list FIELDS: stubs shop.models > shop/models.pyi

    Type checkers and editors then know the fields and the constructors. Models with fields as
    class attributes need none.
    """
    from ...stubs import stub_of

    print(stub_of(load_module(module)), end='')
