"""The base of the query manager, the saver and the deleter of a model."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, Generic, TypeVar

from .._core.flows import Flow, ask, scan
from .._core.keys import is_allowed_pk
from .._core.mapping.index_keys import index_keys_of_values
from .._core.mapping.schema import Schema
from .._core.partitions.asking import read_shards
from .._core.partitions.editions.fence import Fence
from .._core.partitions.editions.known import FIRST
from .._core.partitions.layout import Shard
from .._core.replication import FRESHNESS, Freshness
from ..connections.tasks import async_executor_for
from ..connections.threads import executor_for, server_for
from ..generics import M

__all__ = (
    'IndexedRedisHelper',
    'async_executor_of',
    'edition_of',
    'executor_of',
    'pks_of_keys',
    'pks_of_partitions',
    'scan_set',
    'send',
    'server_of',
)

T = TypeVar('T')


def executor_of(owner: Any) -> Any:
    """Return the executor for a model, or for an object that has its own connection."""
    return executor_for(owner.REDIS_CONNECTION_PARAMS, owner._connection, executor_of, owner)


def async_executor_of(owner: Any) -> Any:
    """Return the executor as :func:`executor_of` does, but for the running event loop."""
    params, client = owner.REDIS_CONNECTION_PARAMS, owner._connection
    return async_executor_for(params, client, async_executor_of, owner)


def server_of(owner: Any) -> Any:
    """Return a value that identifies the server of a model, or of one of its objects."""
    return server_for(owner.REDIS_CONNECTION_PARAMS, owner._connection, owner)


def send(owner: Any, *command: Any) -> Any:
    """Send one command to the server of a model; return its reply, texts as bytes.

    The command may be sent twice, after a lost connection or to another node.
    """
    return executor_of(owner).run(ask(*command))


def scan_set(owner: Any, key: str, take: Callable[[list[bytes]], Any]) -> None:
    """Give ``take`` the members of a set on the server of a model, page by page; some may repeat.

    Redis: ``SSCAN`` in pages of 500, from the beginning if another node takes over meanwhile.
    """

    def act(page: list[bytes]) -> tuple[()]:
        take(page)
        return ()

    executor_of(owner).run(scan(act, key.encode('utf-8')))


def pks_of_keys(model: Any, names: Sequence[str], keys: Sequence[Any]) -> list[int | None]:
    """Return the pks of the stored objects with some keys; None for a key that no object has.

    :param names: the indexed fields that are the key
    :param keys: values of the fields, or tuples of them

    Redis: ``SINTER`` of the index sets of each key and of ``:keys``, 500 keys in a trip.
    """
    from .._core.resets.comparing.stored import pks_under

    schema = model._validated()
    columns = tuple(schema.columns[name] for name in names)
    run = executor_of(model).run
    if not schema.partitions:
        found: list[int | None] = run(pks_under(schema, columns, keys))
        return found
    parts = run(read_shards(schema, lambda shard: pks_under(shard, columns, keys)))
    some = ([pk for pk in pks if pk is not None] for pks in zip(*parts, strict=True))
    return [min(pks, default=None) for pks in some]


def pks_of_partitions(model: Any) -> tuple[int, array[int]]:
    """Return the edition of a model with partitions, and its pks, eight bytes each.

    The sets may hold members that are not pks; these are left out.

    Redis: ``SSCAN`` in pages of 500 of each partition, all in one trip.
    """
    schema, edition = model._validated(), 0

    def pks(shard: Shard) -> Flow[array[int]]:
        nonlocal edition
        edition, found = shard.edition, array('q')

        def take(page: list[bytes]) -> tuple[()]:
            found.extend(map(int, filter(is_allowed_pk, page)))
            return ()

        yield from scan(take, shard.keys.all)
        return found

    parts = executor_of(model).run(read_shards(schema, pks))
    return edition, array('q', dict.fromkeys(chain.from_iterable(parts)))


def edition_of(model: Any) -> int:
    """Return the edition that is true of a model with partitions.

    Redis: ``GET``.
    """

    def asked(schema: Schema) -> Flow[int]:
        fence = Fence.of((yield from ask('GET', schema.keys.edition)))
        return FIRST if fence is None else fence.edition.number

    found: int = executor_of(model).run(asked(model._validated()))
    return found


class IndexedRedisHelper(Generic[M]):
    """The base of managers: it runs flows on the connection of a model.

    :param mdl: the model
    :param obj: an object of the model; its own connection, if it has one, is used instead
    """

    # How fresh a replica has to be that may answer; None: what the model says.
    _fresh: Freshness | None = None

    def __init__(self, mdl: type[M], obj: M | None = None) -> None:
        self.mdl: Any = mdl
        self._obj = obj

    @property
    def _schema(self) -> Schema:
        schema: Schema = self.mdl._validated()
        return schema

    def _run(self, flow: Flow[T], answers: int | None = None, fresh: Freshness | None = None) -> T:
        result: T = executor_of(self._here).run(flow, answers, fresh)
        return result

    async def _arun(
        self, flow: Flow[T], answers: int | None = None, fresh: Freshness | None = None
    ) -> T:
        result: T = await async_executor_of(self._here).run(flow, answers, fresh)
        return result

    def _read(self, flow: Flow[T]) -> T:
        """Run a flow that only reads. The client-side cache, or a replica, may answer it."""
        return self._run(flow, self.mdl.CLIENT_SIDE_CACHE, self._wanted)

    async def _aread(self, flow: Flow[T]) -> T:
        return await self._arun(flow, self.mdl.CLIENT_SIDE_CACHE, self._wanted)

    @property
    def _wanted(self) -> Freshness | None:
        return self._fresh or FRESHNESS[self.mdl.REPLICA_READS]

    @property
    def _here(self) -> Any:
        return self.mdl if self._obj is None else self._obj

    def _server_of(self, obj: Any) -> Any:
        """Return the server that a linked object is saved to; for None, that of this helper."""
        return server_of(self._here if obj is None else obj)

    def _get_key_for_index(self, field: Any, value: Any) -> str:
        """Return the key of an index set; private, but known programs call it."""
        column = self._schema.columns[str.__str__(field)]
        values = [column.index_of(column.from_input(value))]
        (key,) = index_keys_of_values(self._schema.keys, column, values)
        return key.decode('utf-8', 'surrogateescape')
