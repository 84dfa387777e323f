"""Query methods about replicas: which of them may answer, and what a caller has seen.

``readToken`` has an awaitable twin with the prefix ``a``. Both run the same flow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._core.replication import MAX_LAG, Freshness, parse_token, read_token
from ...errors import UsageError
from ...generics import M
from ...twins import awaitable
from .flows import QueryFlows

if TYPE_CHECKING:
    from typing import Self

__all__ = ('QueryReplicas',)


class QueryReplicas(QueryFlows[M]):
    """Let replicas answer a query."""

    def replica(self, maxLag: float = MAX_LAG, after: str | None = None) -> Self:
        """Return a new query that a replica may answer, of a cluster or a Sentinel service.

        The replica is at most ``maxLag`` seconds behind the primary. It has all that this process
        has written and read of the model, so answers never go back in time. If no replica is known
        to be so fresh, the primary answers; with ``REPLICA_READS = 'require'`` the call waits for
        one, for ``failover_seconds`` of the connection. A server that stands alone answers itself.
        Linked objects on another server are read as ``REPLICA_READS`` of their model says.

        :param maxLag: seconds, above 0. A lag above 100 s counts as unknown.
        :param after: a token: the replica has all that :meth:`readToken` stands for
        :raises UsageError: if ``maxLag`` is not a number above 0, ``after`` is not a token, or the
            model has partitions
        :raises NoFreshReplicaError: when the query is executed, if it requires a replica, and none
            is fresh enough in time

        Redis: besides the commands of the query, up to ten times a second ``INFO replication`` to
        the primary and to a replica; ``READONLY`` over new connections to a cluster's replica.
        """
        name = self._schema.name
        if self._schema.partitions:
            raise UsageError(
                f'{name}: replicas cannot answer for a model with PARTITIONS, since those of '
                'several nodes never have the data of one moment. Leave replica() out.'
            )
        if isinstance(maxLag, bool) or not isinstance(maxLag, (int, float)) or not maxLag > 0:
            raise UsageError(f'{name}: maxLag={maxLag!r:.100} is no number of seconds above 0.')
        token = None if after is None else parse_token(name, after)
        query = self._copied()
        query._fresh = Freshness(maxLag, self.mdl.REPLICA_READS == 'require', token)
        return query

    def readToken(self) -> str:
        """Return a token, which stands for all that the model's primary has at this moment.

        Give it to a user, such as in a cookie, and :meth:`replica` in the next request: whichever
        process serves that request, its answer has all that the user has seen or written.

        :returns: ASCII letters, digits and a dash, up to 60 characters

        Redis: ``INFO replication``.
        """
        return self._run(read_token(), 0)

    @awaitable(readToken)
    async def areadToken(self) -> str:
        return await self._arun(read_token(), 0)

    @property
    def _replica_text(self) -> str:
        """The call that allowed replicas."""
        if self._fresh is None:
            return ''
        after = f', after={str(self._fresh.after)!r}' if self._fresh.after else ''
        return f'.replica({self._fresh.max_lag:g}{after})'
