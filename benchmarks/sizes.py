"""Say how much a run does, and how often."""

from typing import NamedTuple


class Sizes(NamedTuple):
    """The sizes of a run."""

    rows: int  # in the database
    reads: tuple[int, ...]  # results of about so many rows
    picks: int  # matches among which one object is picked
    bulk: int  # rows of a bulk save
    delete: int  # objects that are deleted
    reset: int  # rows of a reset
    rounds: int  # that count
    slow: int  # rounds of what takes seconds
    settle: bool  # whether a reset waits until the server removed what the last one left
    questions: int  # of many clients in a round
    seconds: float  # that a subject answers questions in a round
    copies: int  # of the catalogue that pages are made of
    waits: int  # rows in the database while others wait
    written: int  # objects of one long write
    rest: float  # seconds before a reader reads beside nothing
    duels: int  # rows of a reset with and without its promise
    duel: int  # rows of a bulk save with and without its promise
    ordered: tuple[int, ...]  # rows that an order is asked of
    calls: int  # of a count() in one sample; of other operations about so many


FULL = (1, 10, 100, 1_000, 10_000)
SIZES = {
    'full': Sizes(100_000, FULL, 5_000, 10_000, 5_000, 100_000, 15, 5, True, 600, 0.5, 10,
                  300_000, 50_000, 2.0, 10_000, 1_000, (1_000, 100_000, 1_000_000), 100),
    'quick': Sizes(20_000, FULL[:4], 2_000, 2_000, 1_000, 10_000, 5, 2, True, 300, 0.2, 2,
                   50_000, 5_000, 1.0, 10_000, 1_000, (1_000, 20_000), 100),
    'tiny': Sizes(300, FULL[:3], 50, 50, 20, 100, 1, 1, False, 20, 0.01, 1,
                  300, 100, 0.1, 300, 100, (300,), 10),
}  # fmt: skip
