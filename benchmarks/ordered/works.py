"""List the questions, in the process of a subject."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from ..machine import cpu_seconds
from ..results import BY_HAND
from ..running.work import Job, Served, Work
from .rows import DEAR, EVEN, SIZE, artists

ORM = ', ORM'
VALUES = (2, 20, 1_000)


class Questions(Served):
    """The questions of one subject.

    :param urls: of SQL databases, by subject; other subjects read the same objects from Redis
    :param count: how many rows there are
    """

    def __init__(
        self, subject: str, connection: dict[str, Any], sizes: str, urls: dict[str, str], count: int
    ) -> None:
        connection['db'] = 0
        super().__init__(subject, connection, sizes)
        self.count = count
        self.asked: Any
        self.server: int | None = None  # the process of a SQL database
        if subject in urls:
            from ..running.databases import pid_of
            from .sql import Sql

            self.asked = Sql(urls[subject], subject.endswith(ORM))
            self.server = pid_of(self.asked.engine)
        elif subject == BY_HAND:
            from .by_hand import ByHand

            self.asked = ByHand(connection)
        else:
            from .models import Models

            self.asked = Models(connection)

    def fill(self) -> None:
        """Store the rows."""
        print(f'{self.subject}: storing {self.count:,} rows ...', flush=True)
        self.asked.fill(self.count)

    def works(self, group: str) -> Iterator[Work]:
        """Yield what is timed, or the ``waits`` of a reader beside first pages."""
        asked, many = self.asked, self.sizes.calls
        few, middle = many // 10, self.count // SIZE // 2
        works = [
            ('page 1 by price', many, asked.first),
            ('page 1 by price of an evenly spread eighth', many, partial(asked.first, **EVEN)),
            ('page 1 by price of the dearest eighth', few, partial(asked.first, **DEAR)),
        ]
        if group == 'waits':
            for title, calls, ask in works:
                name = f'{self.count:,} rows: {title}, beside that reader'
                prepare = partial(_times, ask, calls if calls == few else 10 * calls)
                yield Work(name, prepare, how='beside', rounds=self.sizes.slow)
            return
        place = asked.place(middle)
        works += [
            ('page in the middle by price, by cursor', many, partial(asked.after, place)),
            ('page in the middle by price, by number', few, partial(asked.number, middle + 1)),
        ]
        for size in VALUES:
            title = f'artist__in=[...], {size:,} values'
            works.append((title, many if size < 100 else few, partial(asked.among, artists(size))))
        for title, calls, ask in works:
            prepare = partial(_times, ask, calls, '__in' in title)
            yield Work(f'{self.count:,} rows: {title}', prepare, per=calls, rounds=self.sizes.slow)

    def server_seconds(self) -> float:
        """Return the CPU seconds of the database that is asked, so far."""
        if not self.server:
            return super().server_seconds()
        return cpu_seconds(self.server)

    def keeps_nulls(self) -> bool:
        """Return that answers have to be equal."""
        return True


serve = Questions


def _times(ask: Callable[[], list[str]], times: int, unordered: bool = False) -> Job:
    def run() -> list[str]:
        for _ in range(times):
            lines = ask()
        return lines

    return Job(run, sorted if unordered else list)
