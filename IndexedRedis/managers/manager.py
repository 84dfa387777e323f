"""The base of the query manager, the saver and the deleter of a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from .._core.flows import Flow, ask, scan
from .._core.mapping.index_keys import index_keys_of_values
from .._core.mapping.schema import Schema
from .._core.replication import FRESHNESS, Freshness
from ..connections.tasks import async_executor_for
from ..connections.threads import executor_for, server_for
from ..generics import M

__all__ = (
    'IndexedRedisHelper',
    'async_executor_of',
    'executor_of',
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
