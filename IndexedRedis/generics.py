"""The type variables of fields, managers and lists, and ``NotNull``.

Type checkers see generic classes. At run time only the brackets are there: they mean nothing, and a
field, which is a ``str``, has no further base.
"""

from __future__ import annotations

from types import GenericAlias
from typing import TYPE_CHECKING, Any

__all__ = ('Bracketed', 'I', 'M', 'N', 'NotNull', 'O', 'T')

if TYPE_CHECKING:
    from typing import Generic, Never

    from typing_extensions import TypeVar

    from .fields.base.field import IRField
    from .fields.null import IRNullType
    from .models.stored import Stored

    #: what a field holds
    T = TypeVar('T', default=Any)
    #: what stands for null where a field is read
    N = TypeVar('N', default=IRNullType)
    #: what else means null where a field is assigned
    I = TypeVar('I', default=None)  # noqa: E741
    #: a model
    M = TypeVar('M', bound=Stored, default=Any)
    #: the model that a link leads to
    O = TypeVar('O', bound=Stored, default=Any)  # noqa: E741

    class Bracketed(str, Generic[T, N, I]):
        """A generic ``str``."""

    NotNull = IRField[T, Never, Never]
else:
    from typing import TypeVar

    T, N, I, M, O = map(TypeVar, 'TNIMO')  # noqa: E741

    class Bracketed(str):
        """A ``str`` that can be written with brackets."""

        __class_getitem__ = classmethod(GenericAlias)

    class NotNull:
        """The annotation of a field with ``nullable=False``: ``NotNull[int]``.

        Type checkers take it for an ``IRField`` that is never null.
        """

        __class_getitem__ = classmethod(GenericAlias)
