"""``IRClassicField``: the field that a plain string in ``FIELDS`` stands for."""

from __future__ import annotations

from typing import Any

from .base import IRField

__all__ = ('IRClassicField',)


class IRClassicField(IRField):
    """A text field with the empty text as default.

    :param name: name of the field
    """

    def __init__(self, name: str = '') -> None:
        super().__init__(name, valueType=str, defaultValue='')

    def _properties(self) -> list[tuple[str, Any]]:
        return [('defaultValue', repr(self.defaultValue))]
