"""Report the progress of a reset to its caller."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ('ResetObserver',)


class ResetObserver:
    """Receives the progress of a reset. Derive a class and override methods; they do nothing here.

    The reset calls the methods, so an exception in one of them ends the reset.
    """

    #: The token that the key ``tmp:mirror`` of each model must hold when the new data goes live.
    #: Otherwise the reset raises ``ResetLostError`` and changes nothing. Empty: no check.
    fence: bytes = b''
    #: The text that ``mirrored`` of each model must have had so far, as an earlier call stored it,
    #: when the changes of :func:`resetChanged` go live. Otherwise it raises ``ResetLostError`` and
    #: changes nothing. Empty: no check. It does not hold for models with ``PARTITIONS``.
    continues: str = ''

    def assigned(self, model: Any, objs: Sequence[Any], pks: Sequence[int]) -> None:
        """These objects will have these pks, if the reset succeeds.

        Objects that come later may link to those pks.
        """

    def staged(self, model: Any, count: int, size: int) -> None:
        """``count`` more rows, of ``size`` bytes, are on their way to the server."""

    def swapping(self) -> None:
        """Everything is staged; the new data sets go live next."""
