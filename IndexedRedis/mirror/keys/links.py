"""From the keys in a row to what its link fields take: pks, and objects that have none yet.

The rule: a link that leads to no row is counted, once, and the rule of the mirror decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any

from ... import irNull
from ...errors import FieldValueError
from ..guards import ModelCounts
from ..layout import Link
from ..source import Source
from .key_map import KeyMap
from .reading import no_key

__all__ = ('ITSELF', 'Find', 'Links')

# Returns what a link to a key of a model leads to, or None. It also gets the keys of the link that
# it is asked for next: one query of SQL can answer for all of them.
Find = Callable[[Source, Any, Iterable[Any]], Any]

# In place of the object that a row links to: that of the row itself, which is not made yet.
ITSELF = object()


class Links:
    """The links of one model's rows.

    :param source: the select of the model
    :param links: how they are read from a row
    :param counts: counts links that lead to no row, and rows that are skipped for them
    :param find: see :data:`Find`
    :param key_maps: the keys of all models
    :param dangling: what happens to a link that leads to no row
    """

    def __init__(
        self,
        source: Source,
        links: Sequence[Link],
        counts: ModelCounts,
        find: Find,
        key_maps: Mapping[Source, KeyMap],
        dangling: str,
    ) -> None:
        self._source, self._counts, self._find = source, counts, find
        self._dangling = dangling
        #: links to the same model, and to others
        self.own = [link for link in links if link.target is source]
        self.others = [link for link in links if link.target is not source]
        # The fast way: links to one row of another model, whose objects all have a pk.
        single = [link for link in self.others if not link.multi and link.target]
        self._single = [
            (link, key_maps[link.target].pks.get) for link in single if link.target is not None
        ]
        self._rest = [link for link in links if link not in single]
        #: the fields that :meth:`of` returns values for, in order
        self.fields = [link.field for link in (*single, *self._rest)]
        #: the chunk of rows that are read
        self.rows: Sequence[Any] = ()
        #: objects of rows in a circle, which are linked once all are made
        self.circle: dict[Any, Any] = {}
        #: dangling links that were counted; None while no row is tried twice
        self.counted: set[tuple[str, Any, Any]] | None = None

    def known(self, rows: Sequence[Any]) -> Iterable[Sequence[int | None]]:
        """Return for each row the pks of its links to one row of another model, for :meth:`of`.

        Link by link, for all rows, takes half the time of row by row.
        """
        if not self._single:
            return repeat((), len(rows))
        try:
            pks = [[*map(pk_of, map(link.read, rows))] for link, pk_of in self._single]
        except TypeError:  # a list cannot be a key; linked() raises an error that says so
            return repeat((None,) * len(self._single), len(rows))
        return zip(*pks, strict=True)

    def of(self, row: Any, key: Any, pks: Sequence[int | None]) -> Sequence[Any] | None:
        """Return what to assign to the link fields, in order; None if the row is to be skipped.

        :param pks: what :meth:`known` returned for the row
        :raises FieldValueError: if a value is no key
        """
        missed = self._rest
        if None in pks:
            absent = [link for (link, _), pk in zip(self._single, pks, strict=True) if pk is None]
            missed = [*(link for link in absent if link.read(row) is not None), *missed]
        if not missed:
            return pks
        values = self.linked(missed, row, key)
        return (
            None
            if values is None
            else self.in_order({**dict(zip(self.fields, pks, strict=False)), **values})
        )

    def in_order(self, values: Mapping[str, Any]) -> list[Any]:
        """Return values of link fields, in order; None for a field that has none."""
        return [*map(values.get, self.fields)]

    def take_itself(self, values: list[Any]) -> list[tuple[str, Any]]:
        """Replace the links of a row to itself by nulls.

        :param values: of a row; those of the links come last
        :returns: the fields of these links, and what to assign to them once the object is made
        """
        taken = []
        for place, field in enumerate(self.fields, len(values) - len(self.fields)):
            if has_itself(values[place]):
                taken.append((field, values[place]))
                values[place] = None
        return taken

    def keys_in(self, link: Link, row: Any) -> Sequence[Any]:
        """Return the keys that a link leads to; None is one for a single link without target.

        :raises FieldValueError: if a multi link gets no array
        """
        value = link.read(row)
        if not link.multi:
            return (value,)
        if value is not None and not isinstance(value, (list, tuple, set, frozenset)):
            raise FieldValueError(
                f'{self._source.name}.{link.field}: a multi link takes an array of keys, not '
                f'{value!r}. Select an array, or the join table by links=.'
            )
        return () if value is None else [*value]

    def linked(self, links: Iterable[Link], row: Any, key: Any) -> dict[str, Any] | None:
        """Return what to assign to some link fields; None if the row is to be skipped.

        :raises FieldValueError: if a value is no key
        """
        values: dict[str, Any] = {}
        complete = True
        for link in links:
            targets = []
            for value in self.keys_in(link, row):
                if value is None and not link.multi:
                    continue
                target = self._target(link, value, key)
                if target is not None:
                    targets.append(target)
                    continue
                self._note_dangling(link, value, key)
                complete = complete and self._dangling != 'skip'
            values[link.field] = targets if link.multi else targets[0] if targets else irNull
        self._counts.skipped += not complete
        return values if complete else None

    def _target(self, link: Link, value: Any, key: Any) -> Any:
        """Return what a link to a key leads to, ``ITSELF`` for its own row, or None."""
        if link.target is None or value is None:
            return value
        try:
            if link.target is self._source:
                if value in self.circle:
                    return self.circle[value]
                if value == key:
                    return ITSELF
            return self._find(link.target, value, () if link.multi else map(link.read, self.rows))
        except TypeError:
            name = f'{self._source.name}.{link.field}'
            raise FieldValueError(no_key(name, value)) from None

    def _note_dangling(self, link: Link, value: Any, key: Any) -> None:
        place = (link.field, value, key)
        if key is not None and self.counted is not None:
            if place in self.counted:
                return
            self.counted.add(place)
        row = '' if key is None else f' in the row {key!r}'
        self._counts.add_dangling(f'{link.field} = {value!r}{row}')


def has_itself(value: Any) -> bool:
    """Return whether what is assigned to a link has the object itself in it."""
    return value is ITSELF or (isinstance(value, list) and ITSELF in value)
