"""A server that connection parameters name alone: it may be a node of a cluster.

On a cluster, a model whose keys are in many slots would be half written before the first error.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from redis.exceptions import ConnectionError, ResponseError

from ..._core.flows import Batch
from ...errors import ConnectionSetupError
from ..errors import PoolExhaustedError
from ..exchange import Conversation, ask_once
from ..remedies import CLUSTER_REMEDY
from .nodes import text
from .slots import slot_of

__all__ = ('IS_CLUSTERED', 'Single', 'single')

IS_CLUSTERED = Batch([('INFO', 'cluster')])
# By pool: whether its server is a node of a cluster.
_clustered: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()


def single(pool: Any, model: Any) -> Single | None:
    """Return the place of a model on a server; None if it can be used without further ado.

    :param model: the model; None: the whole database
    :raises ConnectionSetupError: if the server is a node of a cluster, and has only a part of the
        model or of the database
    """
    clustered = _clustered.get(pool)
    if clustered and model is not None:
        slot_of(model)
    elif clustered:
        raise ConnectionSetupError(f'{CLUSTER_REMEDY} It holds only a part of the keys.')
    return Single(pool, model) if clustered is None else None


class Single:
    """A server of which it is not known yet whether it is a node of a cluster.

    :param pool: its pool
    :param model: a model that is stored there; None: the whole database
    """

    def __init__(self, pool: Any, model: Any) -> None:
        self._pool, self._model = pool, model

    def way(self) -> Single:
        """Return the way of a conversation."""
        return self

    def begin(self) -> Conversation[None]:
        """Ask the server whether it is a node of a cluster; a user may lack the right to ask.

        :raises ConnectionSetupError: as of :func:`single`
        """
        try:
            (reply,) = yield from ask_once(IS_CLUSTERED)
        except ResponseError:
            _clustered[self._pool] = False
        except PoolExhaustedError:
            raise
        except ConnectionError:
            return  # the flow will meet it too, and try again
        else:
            _clustered[self._pool] = 'cluster_enabled:1' in text(reply)
        single(self._pool, self._model)
