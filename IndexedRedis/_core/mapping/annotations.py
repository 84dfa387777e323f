"""What annotations of a class say of its fields: type checkers believe them, so they are checked.

An annotation that cannot be evaluated, since its names are imported for type checkers only, is
left alone.
"""

from __future__ import annotations

import inspect
import re
import sys
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...fields import IREnumField, IRFieldChain
from ...fields.base import IRField
from ...fields.foreign import IRForeignLinkField
from ...fields.null import IRNullType
from ...generics import NotNull

__all__ = ('annotation_problems',)

_NULLS = (None, type(None), IRNullType)
_UNIONS = (typing.Union, types.UnionType)
_NotNull: Any = NotNull  # type checkers take it for an IRField
# The annotations whose first bracket is the type of the values.
_OF_VALUES = (NotNull, IRField, IREnumField, IRFieldChain, IRForeignLinkField)


def annotation_problems(cls: Any, fields: Sequence[IRField]) -> Iterator[str]:
    """Yield a problem for each field that is not what its annotation says."""
    by_name = {field.name: field for field in fields}
    for each in cls.__mro__:
        for name, annotation in _annotations(each).items():
            # A class may annotate a field of its bases anew, so the first one counts.
            field, annotated = by_name.pop(name, None), _bare(_evaluated(each, annotation))
            problem = _problem(field, annotated) if field else _missing(cls, name, annotated)
            if problem:
                yield f'field {name!r} is annotated {_shown(annotation)}, but {problem}'


def _annotations(cls: Any) -> Mapping[str, Any]:
    try:
        return inspect.get_annotations(cls)
    except NameError:  # Python 3.14 evaluates them here
        return {}


def _evaluated(cls: Any, annotation: Any) -> Any:
    if not isinstance(annotation, str):
        return annotation
    module = sys.modules.get(cls.__module__)
    try:
        return eval(annotation, vars(module) if module else {}, dict(vars(cls)))
    except Exception:
        return Any


def _bare(annotation: Any) -> Any:
    """Return an annotation without what ``Annotated`` adds."""
    bare = typing.get_origin(annotation) is typing.Annotated
    return typing.get_args(annotation)[0] if bare else annotation


def _shown(annotation: Any) -> str:
    shown = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return re.sub(r'\b(?:\w+\.)+(?=\w)', '', shown)


def _missing(cls: Any, name: str, annotation: Any) -> str:
    """Return a problem if a name is annotated as a field and has another value, or none.

    None, properties and methods are meant: they hide a field of a base.
    """
    value = next((vars(each)[name] for each in cls.__mro__ if name in vars(each)), IRField)
    meant = value is None or isinstance(value, IRField) or hasattr(type(value), '__get__')
    if not meant and _is_field(typing.get_origin(annotation) or annotation):
        return f'it is not a field; assign one: {name} = IRField().'
    return ''


def _is_field(origin: Any) -> bool:
    return isinstance(origin, type) and issubclass(origin, (IRField, _NotNull))


def _problem(field: Any, annotation: Any) -> str:
    origin = typing.get_origin(annotation) or annotation
    arguments = typing.get_args(annotation)
    if origin in _UNIONS:
        found = [_problem(field, each) for each in arguments if each not in _NULLS]
        return '' if '' in found or not found else found[0]
    if _is_field(origin):
        if origin is NotNull and field.nullable:
            return 'takes null; add nullable=False, or annotate IRField[...].'
        if origin is not NotNull and not isinstance(field, origin):
            return f'it is an {type(field).__name__}; change one of them.'
        if origin not in _OF_VALUES or not arguments:
            return ''
        annotation = arguments[0]
    if _fits(annotation, field.valueClass):
        return ''
    return f'it holds values of {field.valueClass.__name__}; change one of them.'


def _fits(annotation: Any, cls: Any) -> bool:
    """Return whether values of a class can be what an annotation says; True if nobody knows."""
    annotation = _bare(annotation)
    given = typing.get_origin(annotation) or annotation
    if given in _UNIONS:
        return any(_fits(each, cls) for each in typing.get_args(annotation) if each not in _NULLS)
    if Any in (given, cls) or not isinstance(given, type):
        return True
    try:
        return issubclass(given, cls) or issubclass(cls, given)
    except TypeError:  # a Protocol or TypedDict, which has no such checks
        return True
