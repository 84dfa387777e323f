"""The layout of a select: which column feeds which field, matched by name."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import Any, NamedTuple

from ..utils import near_miss
from .conversions import conversion
from .order import target_of
from .source import Source, alike

__all__ = ('Layout', 'Link')


class Feed(NamedTuple):
    """A column that feeds a plain field; ``convert`` adapts its values, None if they fit."""

    column: int
    field: str
    convert: Callable[[Any], Any] | None


class Link(NamedTuple):
    """A column that feeds a link field; ``target`` is None for a model that is not mirrored."""

    column: int
    field: str
    target: Source | None


class Layout:
    """What the columns of one select mean.

    :param source: the select
    :param columns: the names of its columns
    :param sources: all selects of the mirror
    :param decoded: the numbers of the columns that the driver decodes from JSON
    """

    def __init__(
        self,
        source: Source,
        columns: Sequence[str],
        sources: Sequence[Source],
        decoded: Container[int] = (),
    ) -> None:
        #: what does not fit, a sentence each
        self.problems: list[str] = []
        self.feeds: list[Feed] = []
        self.links: list[Link] = []
        self._source, self._columns, self._decoded = source, columns, decoded
        #: the number of the key column; None if there is no key
        self.key = self._key_column()
        fed = [name for number in range(len(columns)) for name in self._add(number, sources)]
        for name in {name for name in fed if fed.count(name) > 1}:
            self._note(f'two columns feed the field {name!r}.')
        for name in source.fields.keys() - source.defaults - {*fed}:
            hint = near_miss(name, columns)
            self._note(f'no column feeds the field {name!r}.{hint} (defaults= names such fields.)')
        for name in source.columns.keys() - {*columns}:
            if not alike(name, columns):
                self._note(f'the select has no column {name!r}.{near_miss(name, columns)}')

    def _note(self, text: str) -> None:
        self.problems.append(f'{self._source.name}: {text}')

    def _key_column(self) -> int | None:
        source, columns = self._source, self._columns
        if source.key is None:
            return None
        fields = [self._field_of(name) for name in columns]
        for names in (fields, list(columns), [name.casefold() for name in columns]):
            for key in (source.key, source.key.casefold()):
                if key in names:
                    return names.index(key)
        self._note(f'the key {source.key!r} is no column.{near_miss(source.key, columns)}')
        return None

    def _field_of(self, column: str) -> str | None:
        """Return the field of a column: as mapped, else of the same name, else of the same name
        but for upper and lower case. None if the column is left out, '' if no field fits."""
        source = self._source
        for mapped in (column, *alike(column, source.columns)):
            if mapped in source.columns:
                return source.columns[mapped]
        if column in source.fields:
            return column
        same = alike(column, source.fields)
        return same[0] if len(same) == 1 else ''

    def _add(self, number: int, sources: Sequence[Source]) -> list[str]:
        """Add a column; returns the field that it feeds, or nothing."""
        source, column = self._source, self._columns[number]
        name = self._field_of(column)
        if not name:
            if name == '' and number != self.key:
                hint = f'{near_miss(column, source.fields)} (Map it to None to leave it out.)'
                self._note(f'the column {column!r} feeds no field.{hint}')
            return []
        if name in source.links:
            self.links.append(Link(number, name, target_of(sources, source.links[name])))
        else:
            sql_type = source.type_of(number, len(self._columns))
            convert = conversion(
                source.fields[name], sql_type, number in self._decoded, name in source.epochs
            )
            self.feeds.append(Feed(number, name, convert))
        return [name]
