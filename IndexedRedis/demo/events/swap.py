"""A second run of the mirror while all clients read.

The rule: each client compares every page with both editions, line by line. A page that equals
neither is a mixture, and there must be none.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter, sleep
from typing import Any

from .. import data
from ..crew import Crew
from ..models import mirror_of
from ..questions import FromSql, Page
from ..reader import MIXTURE, Got
from ..systems import Shop, System

# The count of tracks is left out: it may be the same in both editions.
NAMES = ('artist', 'album', 'genre', 'orders')
PAGES = 25  # of each question
PAUSE = 0.04  # seconds between two pages of a client: a shop that is busy, and not overrun
AROUND_SECONDS = 0.7  # that the clients read before the run begins, and after it

Editions = dict[tuple[str, Any], dict[int, Page]]


@dataclass(frozen=True)
class Swap:
    """What the clients read.

    :param got: each page: when it had come, its seconds, and its edition. The clock begins with
        the clients
    :param began: when the run of the mirror began
    :param ended: when it had ended
    :param objects: how many objects the run stored
    """

    got: Sequence[Got]
    began: float
    ended: float
    objects: int

    @property
    def seen(self) -> Counter[int]:
        """The number of pages by edition; 0 are mixtures."""
        return Counter(edition for _, _, edition in self.got)

    @property
    def clean(self) -> bool:
        """Whether both editions were read, and no mixture."""
        return self.seen[1] > 0 < self.seen[2] and not self.seen[MIXTURE]

    @property
    def during(self) -> list[float]:
        """The seconds of the pages that came while the mirror ran."""
        return [took for when, took, _ in self.got if self.began <= when < self.ended]

    @property
    def apart(self) -> list[float]:
        """The seconds of the pages that came before or after."""
        return [took for when, took, _ in self.got if not self.began <= when < self.ended]


def swap(
    crew: Crew, system: System, shop: Shop, values: Mapping[str, list[Any]], count: int = PAGES
) -> Swap:
    """Change the shop in SQL, and mirror it again while the clients read.

    :param crew: whose clients read
    :param system: that they ask: the models
    :param shop: whose SQLite is mirrored
    :param values: what can be asked for, by the name of the question
    :param count: how many pages of each question they read
    """
    editions = pages_of(shop, values, count)
    crew.do('use', system)
    start = perf_counter()
    crew.do('read', editions, PAUSE)
    try:
        sleep(AROUND_SECONDS)
        began = perf_counter()
        report = mirror_of(shop.engine).run()
        ended = perf_counter()
        sleep(AROUND_SECONDS)
    finally:
        parts = crew.do('stop')
    return Swap(
        got=[(when - start, *more) for part in parts for when, *more in part],
        began=began - start,
        ended=ended - start,
        objects=sum(each.written for each in report.models.values()),
    )


def pages_of(shop: Shop, values: Mapping[str, list[Any]], count: int) -> Editions:
    """Bring SQLite to the second edition; return SQL's lines of the pages in both.

    Only pages with lines in both editions, no line of which is equal, tell a mixture.
    """
    chance, ask = random.Random(data.SEED), FromSql(shop.engine)
    chosen = [(name, value) for name in NAMES for value in chance.choices(values[name], k=count)]
    before = {page: getattr(ask, page[0])(page[1]) for page in chosen}
    with shop.engine.begin() as connection:
        data.new_edition(connection)
    after = {page: getattr(ask, page[0])(page[1]) for page in chosen}
    return {
        page: {1: before[page], 2: after[page]}
        for page in before
        if before[page] and after[page] and not {*before[page]} & {*after[page]}
    }
