"""Unknown names: a value given under one would be lost without a word.

6.0.3 ignored them, so the default is a warning. A program's own attributes stay silent: those whose
name is far from all fields, those that its ``__init__`` sets, and those of its class.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from types import FrameType
from typing import Any

from ...errors import UnknownNameError, UnknownNameWarning, UsageError
from ..text import near_miss
from .attributes import LinkIdAccessor

__all__ = (
    'ACTIONS',
    'check_assigned',
    'check_given',
    'check_read',
    'nearest',
    'setUnknownNames',
)

ACTIONS = ('raise', 'warn', 'ignore')
# Frames of these packages are not the place where a program made the mistake.
_PACKAGES = (__name__.partition('.')[0], 'QueryableList')
# In shorter names one letter more or less is another word.
_LETTERS_OF_SLIP = 4

_NOTHING = object()

_default = 'warn'


def setUnknownNames(action: str) -> None:
    """Decide what happens where a name is no field, for all models without ``UNKNOWN_NAMES``.

    It concerns names in a constructor, attributes assigned to an object whose name is nearly that
    of a field, and names in ``filter`` and ``sort_by`` of a fetched list that no object has.

    :param action: ``'warn'``, the default, issues an ``UnknownNameWarning``; ``'raise'`` raises
        ``UnknownNameError``; ``'ignore'`` does what 6.0.3 did
    :raises UsageError: if ``action`` is another value
    """
    global _default
    if action not in ACTIONS:
        known = ', '.join(map(repr, ACTIONS))
        raise UsageError(f'setUnknownNames takes one of {known}, not {action!r}.')
    _default = action


def nearest(name: str, fields: Iterable[str]) -> str:
    """Return the field that an attribute's name is a slip of; empty if there is none.

    A slip is one letter more, less or other, or two swapped ones, in a name of four letters or
    more. Case and underscores do not count. A leading underscore marks a name of the program.
    """
    if name.startswith('_'):
        return ''
    return next((field for field in fields if _is_slip(_folded(name), _folded(field))), '')


def _folded(name: str) -> str:
    return name.replace('_', '').casefold()


def _is_slip(name: str, field: str) -> bool:
    start = _common(name, field)
    one, other = name[start:], field[start:]
    end = _common(one[::-1], other[::-1])
    one, other = one[: len(one) - end], other[: len(other) - end]
    if not one and not other:
        return True
    swapped = len(one) == 2 and one == other[::-1]
    edited = max(len(one), len(other)) == 1 and (one + other).isalpha()
    return (swapped or edited) and max(len(name), len(field)) >= _LETTERS_OF_SLIP


def _common(one: str, other: str) -> int:
    """Return how many letters two names have in common at their beginning."""
    pairs = zip(one, other, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def check_given(obj: Any, values: Iterable[str], fields: Collection[str]) -> None:
    """Report the names in a constructor that are neither fields nor attributes of the class.

    :param obj: the object under construction
    :param values: the given names
    :param fields: the names that the constructor takes
    :raises UnknownNameError: if ``setUnknownNames`` or the model says so
    """
    model = type(obj)
    action = _action(model)
    if action == 'ignore':
        return
    lost = [name for name in values if name not in fields and not _is_meant(model, name)]
    if lost:
        texts = [_no_field(model.__name__, name, tuple(fields)) for name in lost]
        _report(action, ' '.join([*texts, 'Its value is lost.']), obj)


def check_assigned(obj: Any, name: str, field: str) -> None:
    """Report an assignment to an attribute that is nearly a field.

    :param obj: the object
    :param name: the name of the attribute
    :param field: the field that it may be a slip of
    :raises UnknownNameError: if ``setUnknownNames`` or the model says so
    """
    model = type(obj)
    action = _action(model)
    if action == 'ignore' or name in obj.__dict__ or _of_class(model, name) is not _NOTHING:
        return
    if not any(_is_init_of(obj, frame) for frame in _frames()):
        text = f'{model.__name__} has no field {name!r}. Did you mean {field!r}?'
        _report(action, f'{text} Attributes that are no fields are not stored.', obj)


def check_read(model: Any, name: str, objs: Iterable[Any]) -> None:
    """Report a name that no object of a fetched list has as an attribute.

    :param model: the model of the list
    :param name: the name
    :param objs: the list; None stands for an object that is not stored
    :raises UnknownNameError: if ``setUnknownNames`` or the model says so
    """
    empty = True
    for obj in objs:
        if obj is not None:
            if _of_class(type(obj), name) is not _NOTHING or hasattr(obj, name):
                return
            empty = False
    action = 'ignore' if empty else _action(model)
    if action != 'ignore':
        text = _no_field(model.__name__, name, tuple(model._validated().columns))
        _report(action, f'{text} No object of the list has such an attribute.', None)


def _action(model: Any) -> str:
    action: str = model.UNKNOWN_NAMES or _default
    return action


@lru_cache(maxsize=1000)
def _no_field(model: str, name: str, fields: tuple[str, ...]) -> str:
    return f'{model} has no field {name!r}.{near_miss(name, fields)}'


def _of_class(model: type, name: str) -> Any:
    """Return what the class has under a name, or ``_NOTHING``. No descriptor runs."""
    return next((vars(each)[name] for each in model.__mro__ if name in vars(each)), _NOTHING)


def _is_meant(model: type, name: str) -> bool:
    """Return whether a name is an attribute of the class. ``link__id`` is a slip of ``link``."""
    found = _of_class(model, name)
    return found is not _NOTHING and not isinstance(found, LinkIdAccessor)


def _frames() -> Iterator[FrameType]:
    """Yield the frames of the running thread, the innermost first."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        yield frame
        frame = frame.f_back


def _is_init_of(obj: Any, frame: FrameType) -> bool:
    code = frame.f_code
    own = code.co_name == '__init__' and code.co_argcount > 0
    return own and frame.f_locals.get(code.co_varnames[0]) is obj


def _report(action: str, text: str, obj: Any) -> None:
    """Raise, or warn about the place of the program that made the object or called the list."""
    if action == 'raise':
        raise UnknownNameError(text)
    for frame in _frames():
        module = frame.f_globals.get('__name__', '')
        if module.partition('.')[0] not in _PACKAGES and not _is_init_of(obj, frame):
            break
    registry = frame.f_globals.setdefault('__warningregistry__', {})
    where = (frame.f_code.co_filename, frame.f_lineno, module, registry)
    warnings.warn_explicit(text, UnknownNameWarning, *where)
