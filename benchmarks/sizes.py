"""Say how much a run does, and how often."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """The sizes of a run.

    :param rows: rows in the database
    :param reads: results of about so many rows
    :param picks: matches among which one object is picked
    :param bulk: rows of a bulk save
    :param delete: objects that are deleted
    :param reset: rows of a reset
    :param rounds: repetitions, after one that warms up
    :param slow: repetitions of what takes seconds
    :param settle: whether a reset waits until the server removed what the last one left
    :param questions: questions of many clients in a round, and for how many seconds it lasts
    :param copies: of the catalogue that pages are made of
    :param waits: objects in the database while others wait
    :param written: objects of one long write
    :param quiet: seconds that a reader reads beside nothing
    :param duels: rows of the database in which promises are measured
    """

    rows: int
    reads: tuple[int, ...]
    picks: int
    bulk: int
    delete: int
    reset: int
    rounds: int
    slow: int
    settle: bool
    questions: int
    seconds: float
    copies: int
    waits: int
    written: int
    quiet: float
    duels: int


SIZES = {
    'full': Sizes(
        rows=100_000, reads=(1, 10, 100, 1_000, 10_000), picks=5_000, bulk=10_000, delete=5_000,
        reset=100_000, rounds=15, slow=5, settle=True, questions=600, seconds=0.5, copies=10,
        waits=300_000, written=50_000, quiet=2.0, duels=10_000,
    ),
    'quick': Sizes(
        rows=20_000, reads=(1, 10, 100, 1_000), picks=2_000, bulk=2_000, delete=1_000,
        reset=10_000, rounds=5, slow=2, settle=True, questions=300, seconds=0.2, copies=2,
        waits=50_000, written=5_000, quiet=1.0, duels=10_000,
    ),
    'tiny': Sizes(
        rows=300, reads=(1, 10, 100), picks=50, bulk=50, delete=20,
        reset=100, rounds=1, slow=1, settle=False, questions=20, seconds=0.01, copies=1,
        waits=300, written=100, quiet=0.1, duels=1_200,
    ),
}  # fmt: skip
