"""Do work on tracks as the library does it, and without one promise."""

from collections.abc import Callable, Iterable
from typing import Any

from IndexedRedis._core.flows import Batch, Command, Flow
from IndexedRedis.connections.threads import getRedisPool
from IndexedRedis.executors.sync import SyncExecutor

from ..dataset import Dataset
from ..results import US
from ..running.served import Served, Work
from ..subjects import Row
from ..subjects.by_hand import NEXT, storing
from ..subjects.library import model_of


class Shop(Served):
    """The tracks on one server. The subject says whether works keep the promises."""

    def __init__(self, data: Dataset, **config: Any) -> None:
        super().__init__(**config)
        self.keep = self.subject == US
        self.rows, self.indexed = data.dicts(), data.indexed
        self.model = model_of(self.connection, data.kinds, data.indexed)
        self.schema = self.model.objects._schema
        self.run = SyncExecutor(getRedisPool(self.connection)).run

    def work(
        self, promise: str, name: str, kept: Any, blind: Any, prepare: Any, per: int = 1, **how: Any
    ) -> Work:
        """Return a work in the way of this process.

        :param promise: its number in ``docs/explanation/promises.rst``
        :param kept: does the work as the library does, with what ``prepare`` returned
        :param blind: does it without the promise
        :param per: if more than one, ``kept`` and ``blind`` are called with one of so many items
        """
        way: Callable[[Any], Any] = kept if self.keep else blind

        def each(items: Iterable[Any]) -> None:
            for item in items:
                way(item)

        how = {'rounds': max(1, 3 * self.sizes.rounds - 2), 'turns': name, **how}
        return Work(f'{promise}: {name}', each if per > 1 else way, prepare, per=per, **how)

    def new(self, count: int) -> list[Any]:
        """Return new tracks, none being stored."""
        self.model.deleter.destroyModel()
        # So that the pks of the tracks are the numbers of their rows.
        self.send(('UNLINK', NEXT, self.schema.keys.incarnations))
        return [self.model(**row) for row in self.rows[:count]]

    def filled(self, count: int) -> list[Any]:
        """Return tracks, which are all that is stored."""
        objects = self.new(count)
        self.model.saver.save(objects)
        return objects

    def send(self, *commands: Command) -> list[Any]:
        """Send commands in one pipeline; return their answers."""

        def flow() -> Flow[list[Any]]:
            return (yield Batch(commands))

        return self.run(flow())

    def transaction(self, commands: Iterable[Command]) -> None:
        """Send commands as one transaction."""
        self.send(('MULTI',), *commands, ('EXEC',))

    def storing(self, rows: list[Row]) -> list[Command]:
        """Draw pks without a check; return the plain commands that store rows under them."""
        (last,) = self.send(('INCRBY', NEXT, len(rows)))
        return storing(rows, last - len(rows) + 1, self.indexed)
