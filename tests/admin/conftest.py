"""What the tests of the admin page share: a filled shop, and its pages in a server."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

for _package in ('starlette_admin', 'uvicorn', 'httpx'):
    pytest.importorskip(_package, reason=f'the admin page needs {_package}')


@pytest.fixture
def filled(watch_models):
    """The shop's models with their objects."""
    from admin import shop

    watch_models(*shop.MODELS)
    shop.fill()
    return shop.MODELS


@pytest.fixture(scope='module')
def _served():
    """The pages of a file's tests, each served from the first test that needs them.

    Their event loops end with the file: other tests count all pools of this process.
    """
    from admin.serving import served

    with ExitStack() as stack:
        known = {}

        def address(models, **how):
            key = (*models, *sorted(how.items()))
            if key not in known:
                known[key] = stack.enter_context(served(models, **how))
            return known[key]

        yield address


@pytest.fixture
def serve(filled, _served):
    """`serve(readOnly=False)`: the address of the shop's pages."""
    return lambda models=filled, **how: _served(models, **how)


@pytest.fixture
def visit(serve):
    """`visit(readOnly=False)`: a visitor of the shop's pages."""
    from admin.serving import Visitor

    with ExitStack() as stack:
        yield lambda **how: stack.enter_context(Visitor(serve(**how)))
