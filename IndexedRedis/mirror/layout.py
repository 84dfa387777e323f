"""Which column feeds which field, found by name when the database has told its columns."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .order import target_of
from .source import Source, alike, near

__all__ = ('Feed', 'Layout', 'Link')


class Feed(NamedTuple):
    """A column that feeds a plain field, and what makes its values fit."""

    place: int
    name: str
    convert: Callable[[Any], Any] | None


class Link(NamedTuple):
    """A column that feeds a link field; ``target`` is None where that model is not mirrored."""

    place: int
    name: str
    target: Source | None


class Layout:
    """What the columns of one select mean.

    :param source: the select
    :param names: its columns
    :param sources: all that are mirrored
    """

    def __init__(self, source: Source, names: Sequence[str], sources: Sequence[Source]) -> None:
        self.problems: list[str] = []
        self.feeds: list[Feed] = []
        self.links: list[Link] = []
        self._source, self._names = source, names
        self.key = self._key_place()
        fed = [name for place in range(len(names)) for name in self._take(place, sources)]
        for name in {name for name in fed if fed.count(name) > 1}:
            self._note(f'two columns feed the field {name!r}.')
        for name in source.fields.keys() - source.defaults - {*fed}:
            hint = near(name, names)
            self._note(f'no column feeds the field {name!r}.{hint} (defaults= names such fields.)')
        for name in source.columns.keys() - {*names}:
            if not alike(name, names):
                self._note(f'the select has no column {name!r}.{near(name, names)}')

    def _note(self, text: str) -> None:
        self.problems.append(f'{self._source.name}: {text}')

    def _key_place(self) -> int | None:
        source = self._source
        if source.key is None:
            return None
        fields = [self._field_of(name) for name in self._names]
        for found in (fields, list(self._names), [name.casefold() for name in self._names]):
            for key in (source.key, source.key.casefold()):
                if key in found:
                    return found.index(key)
        self._note(f'the key {source.key!r} is no column.{near(source.key, self._names)}')
        return None

    def _field_of(self, column: str) -> str | None:
        """The field that a column feeds: as mapped, else of the same name, else of the same but
        for upper and lower case. None if it is left out, '' if there is none."""
        source = self._source
        for mapped in (column, *alike(column, source.columns)):
            if mapped in source.columns:
                return source.columns[mapped]
        if column in source.fields:
            return column
        same = alike(column, source.fields)
        return same[0] if len(same) == 1 else ''

    def _take(self, place: int, sources: Sequence[Source]) -> list[str]:
        source, column = self._source, self._names[place]
        name = self._field_of(column)
        if not name:
            if name == '' and place != self.key:
                hint = f'{near(column, source.fields)} (Map it to None to leave it out.)'
                self._note(f'the column {column!r} feeds no field.{hint}')
            return []
        if name in source.links:
            self.links.append(Link(place, name, target_of(sources, source.links[name])))
        else:
            self.feeds.append(Feed(place, name, _conversion(source.fields[name])))
        return [name]


def _conversion(field: Any) -> Callable[[Any], Any] | None:
    first = getattr(field, 'chainedFields', [field])[0]
    kind = first.valueType
    if isinstance(kind, type) and issubclass(kind, datetime.datetime):
        return _to_datetime
    return None


def _to_datetime(value: Any) -> Any:
    """A DATE is its midnight; a moment with a time zone becomes UTC, as no zone is stored."""
    if isinstance(value, datetime.datetime):
        utc = datetime.timezone.utc
        return value if value.tzinfo is None else value.astimezone(utc).replace(tzinfo=None)
    if isinstance(value, datetime.date):
        return datetime.datetime(value.year, value.month, value.day)
    return value
