"""Servers whose logs can be followed, and a follower that runs beside a test."""

from __future__ import annotations

import threading
import time

import pytest

from IndexedRedis.mirror.follow import follower, loop
from IndexedRedis.testing.databases import fresh
from mirror.conftest import running_server, server
from mirror.follow import shop

PATIENCE = 20  # seconds, until a test fails


@pytest.fixture(params=[server('postgresql'), server('mariadb')])
def logged(request, running):
    """An engine on an empty database of each kind that has a log."""
    engine = fresh(running_server(running, request.param), 'followed')
    yield engine
    engine.dispose()


class Beside:
    """A follower in a thread, which a test stops and starts."""

    def __init__(self, engine):
        self.engine, self.error = engine, None
        self.mirror = shop.mirror(engine)
        self._stop, self._thread = threading.Event(), None

    def start(self, mirror=None, **how):
        """Follow until told to stop, and wait for the first data."""
        self.mirror = mirror or self.mirror
        self._stop, self.error = threading.Event(), None
        # Imports what both threads need: pytest compiles modules, and Python 3.11 fails at times
        # when two threads do so at once.
        self.mirror.status()
        how = {'prepare': True, **how}

        def run():
            try:
                self.mirror.follow(self._stop, **how)
            except Exception as error:
                self.error = error

        self._thread = threading.Thread(target=run)
        self._thread.start()
        return self

    def stop(self):
        """End it; raise what ended it before."""
        self._stop.set()
        if self._thread:
            self._thread.join(PATIENCE)
            assert not self._thread.is_alive(), 'the follower does not stop'
            self._thread = None
        error, self.error = self.error, None
        if error:
            raise error

    def until(self, ready):
        """Wait until something holds; while the follower runs."""
        deadline = time.monotonic() + PATIENCE
        while not ready():
            assert self._thread.is_alive(), f'the follower ended: {self.error!r}'
            assert time.monotonic() < deadline, 'it did not come to hold'
            time.sleep(0.01)

    def caught_up(self):
        """Wait until all commits so far are applied; compare all data with SQL."""
        with self.engine.connect() as connection:
            wanted = shop.in_sql(connection)
        self.until(lambda: self.mirror.status() is not None)
        try:
            self.until(lambda: shop.in_redis() == wanted)
        except AssertionError:
            assert shop.in_redis() == wanted
            raise


@pytest.fixture
def beside(logged, watch_models, monkeypatch):
    """A follower of the filled shop, which is stopped at the end."""
    monkeypatch.setattr(loop, 'FOLLOWER_LOCK_SECONDS', 2)
    monkeypatch.setattr(follower, 'IDLE_SECONDS', 0.3)
    with logged.begin() as connection:
        shop.fill(connection)
    watch_models(*shop.MODELS)
    made = Beside(logged)
    yield made
    made.stop()
    made.mirror.unfollow()
