"""A bank is followed while everybody works. The rule: every answer is of one commit, none is of an
earlier one than the last, and in the end Redis holds what SQL does.

    pytest tests/mirror/follow/bank/test_history.py --minutes 10 --seed 7

Without `--full` and `--minutes` it takes some seconds for each database, with `--full` half a
minute.
"""

from __future__ import annotations

import pytest

# How long the bank is open.
SECONDS, FULL_SECONDS = 4, 30


@pytest.mark.timeout(0)
def test_every_answer_is_of_one_commit(history, follower, figures, full, request):
    minutes = request.config.getoption('--minutes')
    seconds = 60 * minutes / 2 if minutes else FULL_SECONDS if full else SECONDS
    process = follower()
    with history.going_on(process):
        history.live(seconds)
    process.stop()
    history.judge(figures)
