"""One history: writers, witnesses and a follower, and what has to hold at its end.

The rule: the judge waits for what follows from the last commit, and for nothing else.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from faults.writers.workers import wait_until
from judge.checker import check_model
from sqlalchemy import Engine, func, select

from mirror.follow.bank.process import Process
from mirror.follow.bank.stored import differences
from mirror.follow.bank.tables import MODELS, SUM, WRITERS, Count, account, counter, mirror_of
from mirror.follow.bank.witnesses import Witness
from mirror.follow.bank.writers import Writer

WITNESSES = 2
# For a follower that has to take over, and to replace all data, on a busy machine.
PATIENCE = 120


class History:
    """A bank that is open while the block of :meth:`going_on` runs.

    :param engine: of a database that is filled
    :param client: a plain client of Redis
    """

    def __init__(self, engine: Engine, client: Any, seed: object) -> None:
        self.engine, self._client = engine, client
        self._writers = [Writer(engine, number, str(seed)) for number in range(WRITERS)]
        self.witnesses = [Witness() for _ in range(WITNESSES)]
        self.counts: Counter[str] = Counter()
        #: of which one has to run
        self.followers: tuple[Process, ...] = ()

    @contextmanager
    def going_on(self, *followers: Process) -> Iterator[History]:
        """Have all write and read while the block runs; then wait until all is followed.

        :param followers: one of them has to run at the start, and at the end
        """
        self.followers = followers
        assert self._happens(lambda: Count.objects.count() == 2 * WRITERS), self._logs()
        for each in (*self._writers, *self.witnesses):
            each.start()
        try:
            yield self
        finally:
            for writer in self._writers:
                writer.stop()
            caught_up = self._catches_up()
            for witness in self.witnesses:
                witness.stop()
        assert caught_up, f'the follower did not catch up:\n{self._logs()}'
        self._note()

    def live(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)

    def committed(self) -> int:
        """How many transactions were committed so far."""
        return sum(writer.counts['commits'] for writer in self._writers)

    def more(self, commits: int) -> None:
        """Wait until some more transactions were committed."""
        wanted = self.committed() + commits
        wait_until(lambda: self.committed() >= wanted or self._has_error(), PATIENCE)

    @contextmanager
    def unseen(self) -> Iterator[None]:
        """Do in a block what readers may notice; at its end all has to be followed again."""
        with ExitStack() as stack:
            for witness in self.witnesses:
                stack.enter_context(witness.closed)
            yield
            self.seen()
            for witness in self.witnesses:
                witness.forget()

    def seen(self) -> None:
        """Wait until readers see what is committed now."""
        assert self._catches_up(), self._logs()

    def follows_to(self, what: str, reached: Callable[[], bool]) -> None:
        """Wait until something is visible.

        :param what: its name, if it does not become visible
        """
        assert self._happens(reached), f'{what}: {self._logs()}'

    def _has_error(self) -> bool:
        return any(writer.error for writer in self._writers)

    def _catches_up(self) -> bool:
        with self.engine.connect() as connection:
            rows = connection.execute(select(counter.c.id, counter.c.value))
            wanted = {row.id: row.value for row in rows}
        return self._happens(lambda: _reached(wanted))

    def _happens(self, what: Callable[[], bool]) -> bool:
        """Wait for what a follower does; return whether one did."""
        with suppress(AssertionError):
            wait_until(lambda: what() or not self._is_followed(), PATIENCE)
        return self._is_followed() and what()

    def _is_followed(self) -> bool:
        return any(each.runs for each in self.followers)

    def _logs(self) -> str:
        return '\n'.join(each.log(whole=True)[-3000:] for each in self.followers)

    def _note(self) -> None:
        for each in (*self._writers, *self.witnesses):
            self.counts += each.counts

    def judge(self, note: Callable[..., None], **counts: int) -> None:
        """Compare what is stored with SQL, and with what was seen; nothing may be left behind.

        The follower has ended.
        """
        with self.engine.connect() as connection:
            assert connection.scalar(select(func.sum(account.c.balance))) == SUM, (
                'the bank is wrong'
            )
        problems = self.problems()
        kinds = Counter(text.split(':')[0] for text in problems)
        figures = {'commits': self.counts['commits'], 'answers': self.counts['answers'], **counts}
        figures |= {'lost': kinds.pop('lost', 0), 'twice': kinds.pop('twice', 0)}
        note(f'bank in {self.engine.dialect.name}', **figures, wrong=kinds.total())
        assert not problems, '\n'.join(problems[:9])
        assert self.counts['commits'] > 0
        assert self.counts['answers'] > 0
        reports = [model.objects.check() for model in MODELS]
        assert all(report.ok and not report.dangling for report in reports), reports
        mirror_of(self.engine).run()
        damage = [text for model in MODELS for text in check_model(self._client, model)]
        assert damage == []
        assert self.problems() == []

    def problems(self) -> list[str]:
        """What witnesses saw, and what is stored otherwise than it is in SQL now."""
        return self.wrong() + differences(self.engine, self._client)

    def wrong(self) -> list[str]:
        """What witnesses saw so far."""
        return [text for witness in self.witnesses for text in witness.wrong]


def _reached(wanted: dict[int, int]) -> bool:
    seen = {each.id: each.value for each in Count.objects.all()}
    return all(seen.get(number, -1) >= value for number, value in wanted.items())
