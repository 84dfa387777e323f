"""Unique values of rows: two rows with one of them do not fit together.

The rule: values are compared as their index sets are named, and links by the keys of their targets,
since a target may have no pk yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ... import irNull
from ...errors import UniqueError
from ..guards import ModelCounts
from ..layout import Link
from ..source import Source

__all__ = ('UniqueValues', 'of_another')


class UniqueValues:
    """The unique values of one model's rows so far, to find two rows that share one.

    :param source: the select of the model
    :param links: how the keys of targets are read from a row
    :param counts: counts the rows that do not fit
    :param before: the rows that were left out before, as of :attr:`~..guards.ModelCounts.clashing`.
        They are not counted again, unless it is not known which row had the value.
    """

    def __init__(
        self,
        source: Source,
        links: Sequence[Link],
        counts: ModelCounts,
        before: Mapping[Any, Any],
    ) -> None:
        schema = source.model._validated()
        self._uniques, self._counts, self._before = schema.uniques, counts, before
        self._places = {column.name: number for number, column in enumerate(schema.all)}
        self._links = {link.field: link for link in links}
        #: the key of the row that has a value, by unique field and value
        self._keys: dict[tuple[int, tuple[Any, ...]], Any] = {}

    def add(self, row: Any, stored: Sequence[bytes], linked: Mapping[str, Any], key: Any) -> bool:
        """Note the unique values of a row; if another row has one, count this row as bad.

        :param stored: the stored bytes of all fields, but for links
        :param linked: what the link fields take
        :param key: that of the row
        :returns: whether no other row has one
        """
        claims: list[tuple[int, tuple[Any, ...]]] = []
        for number, unique in enumerate(self._uniques):
            values = tuple(self._values(unique, row, stored, linked, self._compared))
            if None not in values:  # any number of rows may have null
                claims.append((number, values))
        for claim in claims:
            if claim in self._keys:
                unique = self._uniques[claim[0]]
                shown = [*self._values(unique, row, stored, linked, self._shown)]
                self._refuse(unique, shown, key, self._keys[claim])
                return False
        self._keys.update(dict.fromkeys(claims, key))
        return True

    def _values(
        self,
        unique: Any,
        row: Any,
        stored: Sequence[bytes],
        linked: Mapping[str, Any],
        form: Callable[[Any, bytes], Any],
    ) -> Iterator[Any]:
        """Yield the values of a unique field; None for null.

        :param form: what a column and its stored bytes become
        """
        for column in unique.columns:
            value = stored[self._places[column.name]]
            link = self._links.get(column.name)
            if link is None:
                yield None if column.is_null(value) else form(column, value)
            elif link.multi:  # left to the script that writes the rows
                yield None
            else:
                target = linked.get(column.name)
                yield None if target is None or target is irNull else link.read(row)

    @staticmethod
    def _compared(column: Any, stored: bytes) -> Any:
        return column.index_of_stored(stored)

    @staticmethod
    def _shown(column: Any, stored: bytes) -> Any:
        return column.decode(stored)

    def _refuse(self, unique: Any, values: Sequence[Any], key: Any, other: Any) -> None:
        shown = repr(tuple(values) if unique.is_composite else values[0])
        rule = 'UNIQUE_FIELDS allows each value once. Change one of the two rows in SQL'
        if key is None:
            self._counts.add_bad(f'{unique.label}: two rows have {shown}, and {rule}')
            return
        if self._before.get(key) is None:
            text = f'row {key!r}: {unique.label}: the row {other!r} has {shown} too, and {rule}'
            self._counts.add_bad(text)
        self._counts.clashing[key] = other


def of_another(error: UniqueError) -> str:
    """Return why a row that changed cannot be written, without its values."""
    return f'a row has the same {", ".join(error.fields)} as a stored object of another row'
