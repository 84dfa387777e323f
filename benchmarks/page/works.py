"""List the pages of a subject that clients make, in the processes of the subject."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from ..running.clients import load
from ..running.work import Served, Work
from . import pages

CONNECTIONS = 16
TITLE = "a page of one artist's tracks"
SHAPES = {  # processes, and clients of each
    'one client': (1, 1),
    '8 clients in one process': (1, 8),
    '32 clients in 4 processes': (4, 8),
}
PROCESSES = max(processes for processes, _ in SHAPES.values())


class Pages(Served):
    """The pages of one subject.

    :param urls: of SQL databases, by subject; other subjects read from Redis
    :param artists: whose pages are made
    """

    def __init__(self, urls: dict[str, str], artists: list[int], **config: Any) -> None:
        config['connection']['db'] = 0  # all read the same objects
        super().__init__(**config)
        self.artists = artists
        if self.subject in urls:
            from sqlalchemy import create_engine

            from ..running.databases import pid_of

            engine = create_engine(urls[self.subject], pool_size=CONNECTIONS)
            self.database, self.pages = pid_of(engine), pages.of_sql(engine)
        else:
            from IndexedRedis import setDefaultRedisConnectionParams

            setDefaultRedisConnectionParams(self.connection)
            self.pages = pages.of_models()

    def page(self) -> Iterator[Work]:
        """Yield clients that make all pages."""
        rounds, seconds = self.sizes.rounds, self.sizes.seconds
        for shape, (processes, clients) in SHAPES.items():
            for way, make in self.pages.items():
                yield Work(
                    f'{TITLE}, {shape}',
                    partial(load, make, clients, self.artists, seconds),
                    way,
                    'load',
                    unit='pages/s',
                    rounds=rounds,
                    warm_up=2,  # after the first round, what can be cached is
                    processes=processes,
                )


serve = Pages
