"""What the class of a model says of a name that it lacks: ``Song.filter`` is a method of queries.

Python reads each attribute of a class by a slower way if its metaclass has a ``__getattr__``. That
took a tenth of a count, so the metaclass has an attribute for each such name instead.
"""

from __future__ import annotations

from typing import Any, Self

from ..managers.other_orms import class_names, ours_of_query

__all__ = ('Hinted',)


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
