"""What a model and its objects say of a name that they lack: ``Song.filter``, ``song.id``.

Python reads each attribute by a slower way if the class has a ``__getattr__``. Of the metaclass,
that took a tenth of a count; of the model, two thirds longer to read the fields of a result. So
each such name is an attribute instead, and a model may use it itself.
"""

from __future__ import annotations

from typing import Any, Self

from ..managers.other_orms import class_names, missing_of_object, object_names, ours_of_query

__all__ = ('Hinted', 'HintedObject')


class _Hint:
    """An attribute of the metaclass that names what to write instead; those of models come first.

    :param name: its name
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, model: Any, meta: type) -> Self:
        if model is None:
            return self
        from ..managers.query.query import IndexedRedisQuery

        ours = ours_of_query(model.__name__, self._name, IndexedRedisQuery)
        message = f'type object {model.__name__!r} has no attribute {self._name!r}'
        message += f'. Write {ours}.' if ours else ''  # not every method has a twin for asyncio
        raise AttributeError(message, name=self._name, obj=model)


class Hinted(type):
    """A class that has hints."""

    vars().update({name: _Hint(name) for name in class_names()})


class _HintOfObject:
    """An attribute of objects that names what to write instead; fields come first.

    :param name: its name
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, obj: Any, model: Any) -> Self:
        message = missing_of_object(model.__name__, self._name)
        if obj is None:
            message = f'type object {model.__name__!r} has no attribute {self._name!r}'
        raise AttributeError(message, name=self._name, obj=model if obj is None else obj)


class HintedObject:
    """An object that has hints."""

    vars().update({name: _HintOfObject(name) for name in object_names()})
