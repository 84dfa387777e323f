"""A server that connection parameters name alone: it may be a node of a cluster.

On a cluster, a model whose keys are in many slots would be half written before the first error.
"""

from __future__ import annotations

from typing import Any

from redis.exceptions import AuthenticationError, ConnectionError, ResponseError

from ..._core.flows import Batch
from ..._core.replication import Freshness
from ...errors import ConnectionSetupError
from ..errors import PoolExhaustedError
from ..exchange import Conversation, Way, ask_once
from ..remedies import CLUSTER_REMEDY, explained
from .nodes import text
from .route import Place
from .slots import slot_of
from .turn import Turn

__all__ = ('IS_CLUSTERED', 'Single', 'place_of', 'way_to')

IS_CLUSTERED = Batch([('INFO', 'cluster')])
# The attributes of a pool: whether its server is a node of a cluster, and whose turn it is to ask.
_CLUSTERED = 'indexedredis_clustered'
_TURN = 'indexedredis_turn'


def place_of(pool: Any, model: Any) -> Any:
    """Return where a model is among the nodes of a pool; None if its server needs no looking for.

    :param pool: the pool of one server, or of the nodes of several
    :param model: the model, or one of its objects; None: the whole database
    :raises ConnectionSetupError: if the server is a node of a cluster, and holds only a part of the
        model or of the database
    """
    clustered = getattr(pool, _CLUSTERED, None)
    if clustered is False:
        return None
    if clustered and model is None:
        raise ConnectionSetupError(f'{CLUSTER_REMEDY} This node holds only a part of the keys.')
    if clustered:
        slot_of(model)
        return None
    place = getattr(pool, 'place', None)
    return Single(pool, model) if place is None else place(model)


def way_to(place: Place | Single | None, reading: bool, fresh: Freshness | None) -> Way | None:
    """Return the way of a conversation to its node; None: there is one server, which is known.

    :param reading: whether it only reads
    :param fresh: how fresh a replica has to be that may be this node; None: the primary
    :raises ConnectionSetupError: if only replicas may answer, and the server names none
    """
    if fresh is not None:
        if isinstance(place, Place):
            from .replica_route import ReplicaRoute  # only programs that use replicas need it

            return ReplicaRoute(place, fresh)
        if fresh.required:
            raise ConnectionSetupError(
                "REPLICA_READS = 'require' needs replicas, and these connection parameters name "
                "one server. Give a cluster, sentinels, or 'replicas'; or say 'prefer', which has "
                'the server itself answer.'
            )
    return None if place is None else place.way(reading)


class Single:
    """A server of which it is not known yet whether it is a node of a cluster.

    :param pool: its pool
    :param model: a model that is stored there; None: the whole database
    """

    def __init__(self, pool: Any, model: Any) -> None:
        self._pool, self._model = pool, model

    def way(self, reading: bool) -> Single | None:
        """Return the way of a conversation; None if it only reads, which the server may refuse.

        Reading a whole database is refused by no node.
        """
        return None if reading and self._model is not None else self

    def begin(self) -> Conversation[None]:
        """Ask the server whether it is a node of a cluster; a user may lack the right to ask.

        One conversation asks, and the others of the pool wait for what it learns.

        :raises ConnectionSetupError: as of :func:`place_of`
        """
        turn: Turn = vars(self._pool).setdefault(_TURN, Turn())
        while not hasattr(self._pool, _CLUSTERED):
            if (yield from turn.ask(self._ask)):
                break
        place_of(self._pool, self._model)

    def _ask(self) -> Conversation[None]:
        """Note whether the server is a node of a cluster, if it answers."""
        clustered = False
        try:
            (reply,) = yield from ask_once(IS_CLUSTERED)
            clustered = 'cluster_enabled:1' in text(reply)
        except (AuthenticationError, PoolExhaustedError) as exc:
            raise explained(exc)  # noqa: B904  (the same one)
        except ConnectionError:
            return  # the flow will meet it too, and try again
        except ResponseError:
            pass
        setattr(self._pool, _CLUSTERED, clustered)
