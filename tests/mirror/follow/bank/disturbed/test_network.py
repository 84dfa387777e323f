"""The network, or a server, is frozen and thaws. The rule: whoever waits goes on, and nothing that
was under way is done twice."""

from __future__ import annotations

import pytest

from mirror.follow.bank.wire import Wire

# Less, and more, than the database waits for its reader; and than a lock lives.
SHORT, LONG = 0.5, 4.0


@pytest.fixture
def wire(database):
    with Wire(database.port) as wire:
        yield wire


def test_the_network_to_the_database_freezes_and_breaks(engine, wire, history, follower, figures):
    process = follower(engine.url.set(port=wire.port))
    with history.going_on(process):
        for seconds in (SHORT, LONG):
            wire.freeze()
            history.live(seconds)
            wire.thaw()
            history.more(5)
            history.seen()
            wire.cut()
            history.more(5)
            history.seen()
    process.stop()
    history.judge(figures, frozen=2, cut=2)


def test_redis_freezes(own_redis, bank, follower, figures):
    server = own_redis()
    history, process = bank(server.keeper), follower(params=server.params)
    with history.going_on(process):
        for seconds in (SHORT, LONG):
            server.freeze()
            history.live(seconds)
            server.resume()
            history.more(5)
            history.seen()
    process.stop()
    history.judge(figures, frozen=2)
