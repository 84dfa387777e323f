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


@pytest.fixture
def followed(tmp_path, watch_models, monkeypatch):
    """A process that follows a table of three colors; its `.engine` changes it."""
    from mirror.follow.conftest import Beside
    from mirror.follow.sqlite_log import Logs
    from sqlalchemy import create_engine

    from admin.shop import COLORS, Color
    from IndexedRedis.mirror import Mirror
    from IndexedRedis.mirror.follow import setup

    watch_models(Color)
    monkeypatch.setattr(setup, 'log_of', lambda engine: Logs())
    engine = create_engine(f'sqlite:///{tmp_path / "colors.sqlite"}', connect_args={'timeout': 60})
    with engine.connect() as connection:
        connection.exec_driver_sql('PRAGMA journal_mode=WAL')  # read while others write
    with engine.begin() as connection:
        COLORS.create(connection)
        connection.execute(COLORS.insert(), [{'name': name} for name in ('red', 'green', 'blue')])
    follower = Beside(engine).start(Mirror(engine, {Color: COLORS}, name='colors'))
    follower.until(lambda: follower.mirror.status() is not None)
    yield follower
    follower.stop()
    engine.dispose()
