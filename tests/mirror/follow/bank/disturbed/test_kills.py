"""The follower, Redis and the database are killed again and again while the bank is open.

The rule: whoever starts them anew does nothing else; no answer is wrong, nothing is lost or twice.
"""

from __future__ import annotations

from random import Random

import pytest

# How often each is killed: a little, and with --full.
KILLS, FULL_KILLS = 5, 50
RESTARTS, FULL_RESTARTS = 2, 10


@pytest.fixture
def chance(request):
    return Random(f'{request.config.getoption("--seed")} {request.node.name}')


@pytest.mark.timeout(900)
def test_the_follower_is_killed_at_random_moments(history, follower, figures, full, chance):
    process, kills = follower(), FULL_KILLS if full else KILLS
    with history.going_on(process):
        for number in range(kills):
            history.live(chance.uniform(0, 0.5))
            process.kill()
            process.start()
            if number % 2:  # else it may be killed while it starts, or waits for its old lock
                history.more(5)
                history.seen()
    process.stop()
    history.judge(figures, kills=kills)


def test_redis_is_killed_and_comes_back(own_redis, bank, follower, figures, full, chance):
    server = own_redis(appendonly='yes', appendfsync='always')
    process, kills = follower(params=server.params), FULL_RESTARTS if full else RESTARTS
    history = bank(server.keeper)
    with history.going_on(process):
        for _ in range(kills):
            history.live(chance.uniform(0, 0.5))
            server.kill()
            history.live(chance.uniform(0, 1))
            server.start()
            history.more(5)
            history.seen()
    process.stop()
    history.judge(figures, redis_kills=kills)


@pytest.mark.timeout(900)
def test_the_database_crashes(database, history, follower, figures, full, chance):
    process, kills = follower(), FULL_RESTARTS if full else RESTARTS
    with history.going_on(process):
        for _ in range(kills):
            history.live(chance.uniform(0, 0.5))
            database.kill()
            history.live(chance.uniform(0, 1))
            database.start()
            history.more(5)
            history.seen()
    process.stop()
    history.judge(figures, crashes=kills)
