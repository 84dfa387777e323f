"""The parts of the demo, one after the other: a heading, the work, and what came of it.

The rule: the stack closes what a part opens and later parts need; a part closes the rest itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

from .. import getDefaultRedisConnectionParams, setDefaultRedisConnectionParams
from . import crew, data, load, models, questions
from .events import failover, live, swap
from .output import parts
from .output.blocks import Block, Fact, Facts, Part, Text
from .output.screen import Screen
from .systems import Shop

if TYPE_CHECKING:
    from ..embedded import EmbeddedServer
    from ..mirror import Mirror
    from ..testing.clusters import Cluster, Sentinels

__all__ = ('Tour', 'cluster_tour', 'shop_tour')

RUN = 'mirror.run()'
MADE_UP = (
    f'The Chinook catalogue, and {data.SALES:,} orders that the demo makes up for it, the same in '
    'every run. Each SQL database has an index for each question.'
)
ASKED = "Each page is made from objects: of a model, or in SQL of SQLAlchemy's ORM."
TIMED = (
    f'Milliseconds of one client (median of {load.RUNS}); then {crew.CLIENTS} clients in '
    f'{crew.PROCESSES} processes of {crew.THREADS} threads, as gunicorn would start them, '
    f'{load.TURNS * load.TURN_SECONDS:g} seconds for each system, in turns. SQLite reads its file '
    'inside these processes; the others answer over a socket.'
)
REPLACED = (
    f'In SQL all prices rise and the longest tracks go. {crew.CLIENTS} clients read on, with '
    f'{swap.PAUSE * 1000:g} ms between two pages.'
)
FOLLOWED = (
    "mirror.follow() reads PostgreSQL's change log. Each commit changes all prices of an album, "
    'which a reader reads without pause.'
)
KILLED = (
    'SIGKILL ends the primary, and its replica takes over. Then prices rise in SQL, and '
    f'{RUN} runs again.'
)
TAGGED = "A tag is all that a model needs for a cluster: KEY_NAME = '{chinook}Track'."


class Tour:
    """Shows parts as they come, and keeps them for the page."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.parts: list[Part] = []

    def part(self, title: str, note: str, doing: str, work: Callable[[], Sequence[Block]]) -> None:
        """Show the heading, do the work, and show its blocks.

        :param doing: is shown meanwhile
        """
        part = Part(len(self.parts) + 1, title, note)
        self.parts.append(part)
        self.screen.heading(part)
        with self.screen.working(doing):
            part.blocks = work()
        self.screen.show(part.blocks)

    @property
    def right(self) -> bool:
        """Whether everything was as promised."""
        shown = [block for part in self.parts for block in part.blocks]
        facts = [fact for block in shown if isinstance(block, Facts) for fact in block.rows]
        told: list[Fact | Text] = [*facts, *(each for each in shown if isinstance(each, Text))]
        return all(each.right is not False for each in told)


def shop_tour(tour: Tour, shop: Shop, server: EmbeddedServer, stack: ExitStack) -> None:
    """Show the whole way: mirror, ask, measure, replace, follow, lose a primary."""
    systems = shop.systems(server)
    values = questions.values(shop.engine)
    workers = stack.enter_context(crew.Crew())
    mirror = models.mirror_of(shop.engine)
    tour.part(f'Mirror the shop: {RUN}', MADE_UP, 'Mirroring', partial(_mirror, mirror))
    answers = load.ask_all(systems, values)
    tour.part('What a shop asks', ASKED, 'Asking', lambda: parts.asked(answers))
    tour.part(
        'How long it takes',
        TIMED,
        f'{crew.CLIENTS} clients ask each system in turn',
        lambda: parts.timed(answers, load.load(workers, systems, values)),
    )
    tour.part(
        f'{RUN} again, while {crew.CLIENTS} clients read',
        REPLACED,
        f'{crew.CLIENTS} clients read',
        lambda: parts.swapped(swap.swap(workers, systems[0], shop, values)),
    )
    workers.close()
    if logged := shop.engines.get('PostgreSQL'):
        tour.part(
            'Follow the database: a commit in SQL is in Redis a moment later',
            FOLLOWED,
            'Following',
            lambda: parts.followed(live.follow_commits(logged)),
        )
    tour.part(
        'Kill the primary that serves a reader',
        f'A primary, a replica and three sentinels. {KILLED}',
        'Starting six servers',
        partial(_lose_a_primary, shop),
    )


def cluster_tour(tour: Tour, shop: Shop, cluster: Cluster) -> None:
    """Show a cluster that loses a primary."""
    mirror = failover.mirror_of(shop.engine)
    title = f'Mirror the tables, with their links: {RUN}'
    tour.part(title, TAGGED, 'Mirroring', partial(_mirror, mirror))
    tour.part(
        'Kill the primary that serves a reader, then mirror again',
        KILLED,
        'A reader reads',
        lambda: parts.failed_over(failover.lose_a_primary(cluster, shop.engine)),
    )


def _mirror(mirror: Mirror) -> list[Block]:
    start = perf_counter()
    return parts.mirrored(mirror.run(), perf_counter() - start)


def _lose_a_primary(shop: Shop) -> list[Block]:
    """Start a primary with sentinels, mirror the catalogue with its links, and lose the primary."""
    from ..testing.clusters import start_sentinels

    with ExitStack() as stack:
        group = stack.enter_context(start_sentinels(replicas=1))
        use(group, stack)
        failover.mirror_of(shop.engine).run()
        return parts.failed_over(failover.lose_a_primary(group, shop.engine))


def use(group: Cluster | Sentinels, stack: ExitStack) -> None:
    """Make servers the default of the models; the stack undoes it."""
    stack.callback(setDefaultRedisConnectionParams, getDefaultRedisConnectionParams())
    setDefaultRedisConnectionParams(group.params)


def machine() -> str:
    """Return what the figures depend on besides the programs: cores, and other work."""
    busy = f', load {os.getloadavg()[0]:.1f} when it began' if hasattr(os, 'getloadavg') else ''
    return f'{os.cpu_count()} cores{busy}'
