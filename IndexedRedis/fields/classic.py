"""``IRClassicField``: the field that a plain string in ``FIELDS`` stands for."""

from __future__ import annotations

from typing import Any, Unpack

from ..generics import I, N
from .base import IRField
from .base.field import Listed

__all__ = ('IRClassicField',)


class IRClassicField(IRField[str, N, I]):
    """A text field with the empty text as default.

    :param name: name of the field
    """

    def __init__(self, name: str = '', **listed: Unpack[Listed]) -> None:
        super().__init__(name, valueType=str, defaultValue='', **listed)

    def _properties(self) -> list[tuple[str, Any]]:
        return [('defaultValue', repr(self.defaultValue))]
