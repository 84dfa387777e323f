"""The subjects: they do the same work on the same rows, each as its own documentation would.

A subject is imported only when :func:`subject_of` asks for it, in a process that can import it.
"""

from collections.abc import Callable
from importlib import import_module
from operator import attrgetter
from typing import Any

Row = dict[str, Any]
SUBJECTS = {
    'IndexedRedis': ('library', 'Subject'),
    'before': ('library', 'Subject'),
    '6.0.3': ('library', 'Subject'),
    'redis-py by hand': ('by_hand', 'Subject'),
    'rom': ('mappers', 'Rom'),
    'walrus': ('mappers', 'Walrus'),
}


def subject_of(name: str, connection: Row, data: Any, **how: Any) -> Any:
    """Return the subject of a name, for a :class:`benchmarks.dataset.Dataset`.

    :param how: ``connections``, the most that threads or tasks share
    """
    module, subject = SUBJECTS[name]
    # A copy: 6.0.3 writes into the parameters that it is given.
    return getattr(import_module(f'.{module}', __name__), subject)({**connection}, data, **how)


class BaseSubject:
    """What subjects share. They have all methods that works call, but what they ``cannot``."""

    cannot: frozenset[str] = frozenset()  # operations that it lacks
    keeps_nulls = True  # whether a null is told from '' and 0
    module = 'IndexedRedis'  # what `import` imports

    def reader(self, names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
        """Return what reads these fields of an object."""
        return attrgetter(*names)

    def given(self, rows: list[Row]) -> list[Row]:
        """Return rows as the subject takes them, None being a null."""
        return rows

    def fill(self, rows: list[Row]) -> None:
        """Store rows by the best way there is."""
        for row in rows:
            self.create(row)

    def update(self, obj: Any, name: str, value: Any) -> None:
        """Change one field of an object."""
        setattr(obj, name, value)
        obj.save()
