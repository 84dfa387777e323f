"""``irNull``: the null value of all fields but raw ones. There is one such object."""

from __future__ import annotations

from typing import Any, Literal

__all__ = (
    'IR_NULL_BYTES',
    'IR_NULL_STR',
    'IR_NULL_STRINGS',
    'IR_NULL_UNICODE',
    'IRNullType',
    'irNull',
    'means_null',
)

IR_NULL_STR = 'IRNullType()'
IR_NULL_BYTES = b'IRNullType()'
IR_NULL_UNICODE = IR_NULL_STR
IR_NULL_STRINGS = (IR_NULL_STR, IR_NULL_BYTES)


def means_null(value: Any) -> bool:
    """Return whether text or bytes are the stored form of null.

    Text is compared with text and bytes with bytes, so that ``python -bb`` accepts it.
    """
    return bool(value == (IR_NULL_BYTES if isinstance(value, (bytes, bytearray)) else IR_NULL_STR))


class IRNullType(str):
    """The type of ``irNull``: an empty ``str``, falsy, and equal only to itself."""

    __slots__ = ()

    def __new__(cls, *args: Any) -> IRNullType:
        return _the_null

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other

    # Defining __eq__ alone would make it unhashable, and sets would refuse it.
    __hash__ = object.__hash__

    def __bool__(self) -> Literal[False]:
        return False

    def __str__(self) -> str:
        return ''

    def __repr__(self) -> str:
        return 'irNull'

    def __reduce__(self) -> str:
        # A name instead of a recipe: a copy or an unpickled null is this very object.
        return 'irNull'


_the_null = str.__new__(IRNullType)

irNull = _the_null
