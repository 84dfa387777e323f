"""One reader that asks one question without pause, in a thread.

The rule: it compares every answer with the data sets of SQL, value by value. An answer that equals
none of them is a mixture.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import perf_counter
from typing import Any

# What a client got: when it had come, the seconds it took, and its name or its edition.
Got = tuple[float, float, Any]

MIXTURE = 0
MIN_READS = 25  # of each data set
MAX_WAIT_SECONDS = 60.0  # for these reads


class Reader:
    """Asks one question without pause, in a thread, and compares each answer.

    :param ask: the question
    :param editions: the right answers, by number of the edition
    :param compare: returns the values of an answer to compare
    :param counted: errors of the question that are counted, and end nothing
    """

    def __init__(
        self,
        ask: Callable[[], Iterable[Any]],
        editions: Mapping[int, list[Any]],
        compare: Callable[[Iterable[Any]], list[Any]],
        counted: tuple[type[Exception], ...] = (),
    ) -> None:
        self.seen: Counter[int] = Counter()
        self.got: list[Got] = []
        self.errors = 0
        self._ask, self._editions = ask, editions
        self._compare, self._counted = compare, counted
        self._changed = threading.Condition()
        self._over = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name='reader', daemon=True)

    def wait_for(self, edition: int, reads: int, seconds: float = MAX_WAIT_SECONDS) -> None:
        """Wait until the reader has seen an edition this many times more.

        :param seconds: how long to wait at most
        :raises RuntimeError: if it did not in that time
        """
        with self._changed:
            goal = self.seen[edition] + reads
            self._changed.wait_for(lambda: self._error or self.seen[edition] >= goal, seconds)
            if self._error:
                raise self._error
            if self.seen[edition] < goal:
                raise RuntimeError(f'the reader did not see edition {edition}; it saw {self.seen}')

    def __enter__(self) -> Reader:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over = True
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._over:
                start = perf_counter()
                try:
                    answer = self._ask()
                except self._counted:
                    self.errors += 1
                    continue
                now = perf_counter()
                self._add(self._compare(answer), now, now - start)
        except BaseException as error:  # wait_for raises it
            with self._changed:
                self._error = error
                self._changed.notify_all()

    def _add(self, answer: list[Any], now: float, took: float) -> None:
        edition = next((n for n, right in self._editions.items() if right == answer), MIXTURE)
        with self._changed:
            self.seen[edition] += 1
            self.got.append((now, took, edition))
            self._changed.notify_all()


def percentile(times: Sequence[float], part: float) -> float:
    """Return the time that so large a part of the times does not exceed."""
    return sorted(times)[min(int(part * len(times)), len(times) - 1)]


def rates(got: Sequence[Got], step: float) -> dict[int, list[float]]:
    """Return reads a second, by edition, for each period of so many seconds."""
    last = int(max(when for when, _, _ in got) / step) + 1
    counts: dict[int, list[float]] = {1: [0.0] * last, 2: [0.0] * last}
    for when, _, edition in got:
        if edition in counts:
            counts[edition][int(when / step)] += 1 / step
    return counts
