"""The witnesses and the judge see followers that are wrong in one way. The rule: a history in which
nothing is wrong proves something, since these are found."""

from __future__ import annotations

import pytest
from faults.writers.workers import wait_until
from sqlalchemy import update

from mirror.follow.bank.tables import account, counter


@pytest.mark.damaged
@pytest.mark.either('way')
@pytest.mark.parametrize('way', ['row_by_row', 'model_by_model', 'without_a_snapshot'])
def test_a_follower_that_is_wrong_for_a_moment_is_seen(history, follower, way):
    process = follower(naive=way)
    with history.going_on(process):
        wait_until(lambda: len(history.wrong()) > 3 or not process.runs, 60)
    process.stop()


@pytest.mark.damaged
def test_what_a_follower_loses_is_found_in_the_end(engine, history, follower):
    process = follower(naive='without_accounts')
    with history.going_on(process):
        history.more(10)
    with engine.begin() as connection:
        connection.execute(update(account).values(note='the last one'))
        connection.execute(update(counter).values(value=counter.c.value + 1))
    history.seen()
    found = history.problems()
    assert any(text.startswith('lost: BankAccount') and 'the last one' in text for text in found)
    assert any(text.startswith('twice: BankAccount') for text in found)
