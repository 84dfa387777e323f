"""``IREnumField``: the members of an Enum, stored by value or by name."""

from __future__ import annotations

import enum
import functools
from collections.abc import Mapping
from typing import Any, Unpack

from ...generics import I, N, T
from ..base.field import Listed
from ..null import irNull, means_null
from ..values.exact import number_score
from ..values.text import text_of, text_score
from ..values.value_type import ValueType
from .conversion_field import ConversionField

__all__ = ('IREnumField',)


class IREnumField(ConversionField[T, N, I]):
    """A field of the members of an Enum. It returns members.

    :param name: name of the field; for an attribute of a model it can be left out, so that the
        Enum comes first: ``IREnumField(Color)``
    :param enumClass: the Enum
    :param by: what is stored, and what can be assigned besides members: ``'value'`` or ``'name'``
    :param defaultValue: the default value
    :param hashIndex: whether index keys hold the md5 of the value
    :raises TypeError: if ``enumClass`` is not an Enum, or is a Flag, which has more values than
        members
    :raises ValueError: if ``by`` is something else, or the values have no text, or not one each
    """

    def __init__(
        self,
        name: Any = '',
        enumClass: type[T] | None = None,
        by: str = 'value',
        defaultValue: Any = irNull,
        hashIndex: bool = False,
        **listed: Unpack[Listed],
    ) -> None:
        if isinstance(name, type):
            name, enumClass = '', name
        self.enumClass, self.by = _checked(name, enumClass), by
        texts = _texts(name, enumClass, by)
        members = {text: member for member, text in texts.items()}
        conversion = ValueType(
            from_input=functools.partial(_member_of, enumClass, members),
            to_storage=functools.partial(_text_of_member, texts),
            from_storage=functools.partial(_stored_member, members),
            can_index=True,
            canonical=True,
            score=functools.partial(_score, {member: i for i, member in enumerate(self.enumClass)}),
        )
        super().__init__(name, conversion, enumClass, defaultValue, hashIndex, **listed)

    def _properties(self) -> list[tuple[str, Any]]:
        shown = [('enumClass', self.enumClass.__name__), ('by', repr(self.by))]
        return [*shown, *super()._properties()[1:]]


def _checked(name: str, cls: Any) -> Any:
    if not isinstance(cls, type) or not issubclass(cls, enum.Enum):
        raise TypeError(f'{name!r}: enumClass={cls!r} is not an Enum; give a class of members.')
    if issubclass(cls, enum.Flag):
        raise TypeError(f'{name!r}: {cls.__name__} is a Flag; use a field of valueType=int.')
    return cls


def _texts(name: str, cls: Any, by: str) -> dict[Any, str]:
    """Return the stored text of each member, by the member."""
    if by not in ('value', 'name'):
        raise ValueError(f"{name!r}: by={by!r} is unknown; use 'value' or 'name'.")
    try:
        texts = {member: text_of(member.value if by == 'value' else member.name) for member in cls}
    except (TypeError, ValueError) as exc:
        raise ValueError(f'{name!r}: {cls.__name__} has values without a text: {exc}.') from None
    if len({*texts.values()}) < len(texts) or any(map(means_null, texts.values())):
        raise ValueError(
            f'{name!r}: two values of {cls.__name__} have one text, or one means null; use '
            "by='name'."
        )
    return texts


def _member_of(cls: Any, members: Mapping[str, Any], value: Any) -> Any:
    if isinstance(value, cls):
        return value
    if isinstance(value, enum.Enum):
        raise ValueError(f'it is a member of {type(value).__name__}, not of {cls.__name__}')
    return _named(members, text_of(value))


def _stored_member(members: Mapping[str, Any], stored: Any) -> Any:
    return _named(members, text_of(stored))


def _named(members: Mapping[str, Any], text: str) -> Any:
    if text not in members:
        raise ValueError(f'it is none of {", ".join(map(repr, members))}')
    return members[text]


def _text_of_member(texts: Mapping[Any, str], member: Any) -> str:
    return texts[member]


def _score(places: Mapping[Any, int], member: Any) -> float:
    """Return the score of a member that is a number or a text too; else its place in the Enum."""
    if isinstance(member, (int, float)):
        return number_score(member)
    return text_score(member) if isinstance(member, str) else float(places[member])
