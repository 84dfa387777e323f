"""A class of a user's as ``valueType=``: called with one argument, stored by ``str()``.

The rule: a value is stored only if the class reads it back.
"""

from __future__ import annotations

import enum
import functools
from typing import Any

from ...encoding import getDefaultIREncoding
from .value_type import ValueType

__all__ = ('own_type',)


def _made_into(cls: Any, value: Any) -> Any:
    return value if isinstance(value, cls) else cls(value)


def _stored(cls: Any, value: Any) -> str:
    """Return the ``str()`` of a value.

    :raises ValueError: if the class cannot read it back
    """
    text = str(value)
    stored = text.encode(getDefaultIREncoding())
    try:
        again = cls(stored)
        same = bool(again == value) or str(again) == text
        problem = f'gives {again!r}'
    except Exception as exc:
        same, problem = False, f'raises {type(exc).__name__}: {exc}'
    if same:
        return text
    raise ValueError(
        f'its class cannot read it back: {cls.__name__}({stored!r}) {problem}. Let the class take '
        'the bytes of its str(), or write a field type of your own'
    )


def own_type(cls: Any) -> ValueType:
    """Return the conversions of a user's class.

    :raises TypeError: if it is an Enum whose members it cannot read back
    """
    kind = ValueType(
        from_input=functools.partial(_made_into, cls),
        to_storage=functools.partial(_stored, cls),
        from_storage=cls,
        can_index=bool(getattr(cls, 'CAN_INDEX', False)),
        immutable=False,
        eager=False,
    )
    if issubclass(cls, enum.Enum):
        try:
            for member in cls:
                kind.to_storage(member)
        except ValueError as exc:
            raise TypeError(
                f'valueType={cls.__name__} cannot be read back ({exc}). Use IREnumField.'
            ) from None
    return kind
