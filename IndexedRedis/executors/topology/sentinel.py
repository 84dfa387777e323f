"""Which server is the primary of a service, as its Sentinels told last."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import Any

from redis.exceptions import ConnectionError

from ..._core.flows import Batch
from .nodes import Node, TopologyMap, text

__all__ = ('SentinelMap',)

# How often a Sentinel is asked whether the primary is still the same.
_ASK_SECONDS = 0.2
# How often at least, while none answers.
_LONGEST_ASK_SECONDS = 10.0
_GONE = ('s_down', 'o_down', 'disconnected')


class SentinelMap(TopologyMap):
    """The primary and the replicas of a service that Sentinels watch.

    :param sentinels: the Sentinels
    :param service: the name of the service
    """

    def __init__(self, sentinels: Sequence[Node], service: str) -> None:
        super().__init__()
        self._sentinels = list(sentinels)
        self._service = service
        self._primary: Node | None = None
        self._replicas: tuple[Node, ...] = ()
        self._epoch = 0
        self._next, self._pause = 0.0, _ASK_SECONDS
        self.question = Batch(
            [
                ('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', service),
                ('SENTINEL', 'REPLICAS', service),
                ('SENTINEL', 'MASTER', service),
            ]
        )
        self.patience_question = Batch([('SENTINEL', 'MASTER', service)])

    def is_due(self, within: float) -> bool:
        """Whether the Sentinels have to be asked again before a conversation, or soon.

        An old primary that was cut off, and answers again, takes writes until a Sentinel reaches
        it. They are lost then.

        :param within: how soon, in seconds
        """
        return monotonic() + within >= self._next

    def put_off(self) -> None:
        """Note that no Sentinel has answered: what is known has to do for a while."""
        self._next = monotonic() + self._pause
        self._pause = min(2 * self._pause, _LONGEST_ASK_SECONDS)

    def candidates(self) -> list[Node]:
        """Return the Sentinels, the one that answered last first."""
        return [*self._sentinels]

    def learn(self, replies: Sequence[Any], asked: Node) -> None:
        """Take over what a Sentinel told.

        :param replies: to :attr:`question`
        :raises redis.exceptions.ConnectionError: if the Sentinel does not know the service, or an
            older primary than another one did
        """
        primary, replicas, state = replies
        if primary is None:
            raise ConnectionError(f'The Sentinel knows no service {self._service!r}.')
        epoch = int(_fields(state).get('config-epoch', 0))
        before, self._epoch = self._epoch, epoch
        if epoch < before:  # unless it is said again: all Sentinels may have been set up anew
            raise ConnectionError('The Sentinel has not heard of the latest failover.')
        self._next, self._pause = monotonic() + _ASK_SECONDS, _ASK_SECONDS
        self._primary = Node(text(primary[0]), int(primary[1]))
        found = map(_fields, replicas)
        self._replicas = tuple(
            Node(each['ip'], int(each['port']))
            for each in found
            if not set(each['flags'].split(',')) & set(_GONE)
        )
        self._sentinels.sort(key=lambda each: each != asked)

    def primary(self, slot: int | None) -> Node | None:
        """Return the primary; None if it is not known."""
        return self._primary

    def replicas(self, slot: int | None) -> tuple[Node, ...]:
        """Return the replicas that the Sentinel can reach."""
        return self._replicas

    @staticmethod
    def seconds_to_notice(replies: Sequence[Any]) -> float:
        """Return after how many seconds the Sentinels notice that the primary is gone.

        :param replies: to :attr:`patience_question`
        """
        return int(_fields(replies[0]).get('down-after-milliseconds', 0)) / 1000


def _fields(reply: Any) -> dict[str, str]:
    pairs = reply.items() if isinstance(reply, dict) else zip(reply[::2], reply[1::2], strict=True)
    return {text(name): text(value) for name, value in pairs}
