"""Two followers of one mirror. The rule: one follows and one waits, and who lost its lock changes
nothing."""

from __future__ import annotations

import signal
import time

LOCK, STAMP = '_ir_|BankAccount:tmp:mirror', '_ir_|BankAccount:tmp:mirrored'
# How often one takes over from the other: a little, and with --full.
TIMES, FULL_TIMES = 1, 5
WAITS = 'waits, as another mirror of these models runs'


def test_one_waits_and_takes_over_from_one_that_is_killed(history, follower, full, figures):
    first, times = follower(), FULL_TIMES if full else TIMES
    with history.going_on(first):
        second = follower()
        history.followers += (second,)
        second.says(WAITS)
        for _ in range(times):
            history.more(5)
            first.kill()
            history.seen()  # by the other one
            first.start()
            first.says(WAITS)
            first, second = second, first
    first.stop()
    second.stop()
    history.judge(figures, takeovers=times)


def test_one_that_was_suspended_changes_nothing_when_it_wakes_up(history, follower, full, figures):
    first, times = follower(), FULL_TIMES if full else TIMES
    with history.going_on(first):
        second = follower()
        history.followers += (second,)
        second.says(WAITS)
        for _ in range(times):
            history.more(5)
            first.signal(signal.SIGSTOP)
            history.more(5)
            history.seen()  # by the other one
            first.listen().signal(signal.SIGCONT)
            first.says(WAITS)
            first.kill()
            first.start()
            first.says(WAITS)
            first, second = second, first
    first.stop()
    second.stop()
    history.judge(figures, suspended=times)


def test_who_lost_its_lock_changes_nothing(history, follower, raw, figures):
    """Another one has it for a second."""
    process, seen = follower(), 0
    with history.going_on(process):
        history.more(5)
        raw.set(LOCK, b'another', px=1000)
        before = raw.get(STAMP)
        while True:
            holder, stamp = raw.mget(LOCK, STAMP)
            if holder != b'another':
                break
            assert stamp == before
            seen += 1
            time.sleep(0.01)
        history.more(5)
        history.seen()
        raw.delete(LOCK)
        history.more(5)
        history.seen()
    assert 'ResetLostError' in process.log()
    process.stop()
    history.judge(figures, looks=seen)
