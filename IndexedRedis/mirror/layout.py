"""The layout of a select: which column feeds which field, matched by name."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ..utils import near_miss
from .conversions import Conversion, conversion
from .keys.joins import JoinedKeys
from .keys.reading import Reader, reader
from .order import target_of
from .source import Source, alike

__all__ = ('Layout', 'Link')


class Feed(NamedTuple):
    """A column that feeds a plain field, and what adapts its values; None if all fit."""

    column: int
    field: str
    conversion: Conversion | None

    def adapts(self, types: Iterable[type]) -> bool:
        """Return whether values of one of these types are adapted."""
        return self.conversion is not None and any(
            issubclass(each, self.conversion.types) for each in types
        )


class Link(NamedTuple):
    """A link field, and what reads from a row the key of its target.

    ``read`` returns None for no link, and a list of keys if ``multi``. ``target`` is None for a
    model that is not mirrored: then keys are pks.
    """

    field: str
    target: Source | None
    multi: bool
    read: Reader


class Layout:
    """What the columns of one select mean.

    :param source: the select
    :param columns: the names of its columns
    :param sources: all selects of the mirror
    :param decoded: the numbers of the columns that the driver decodes from JSON
    :param joined: the targets of multi links that come from join tables, by field name
    :param zero_dates: what becomes of the date 0000-00-00; empty if the database has none
    """

    def __init__(
        self,
        source: Source,
        columns: Sequence[str],
        sources: Sequence[Source],
        decoded: Container[int] = (),
        joined: Mapping[str, JoinedKeys] | None = None,
        zero_dates: str = '',
    ) -> None:
        #: what does not fit, a sentence each
        self.problems: list[str] = []
        self.feeds: list[Feed] = []
        self.links: list[Link] = []
        self._source, self._columns, self._sources = source, columns, sources
        self._decoded, self._zero_dates = decoded, zero_dates
        self._parts = {
            name: self._numbers(f'in the link {name!r},', names)
            for name, names in source.link_columns.items()
        }
        #: the numbers of the key columns; empty if there is no key
        self.key = self._key_columns()
        #: what reads the key from a row; None if there is no key
        self.key_of = reader(self.key, source.fold) if self.key else None
        fed = [name for number in range(len(columns)) for name in self._add(number)]
        fed += self._add_links(joined or {})
        for name in {name for name in fed if fed.count(name) > 1}:
            self._note(f'two columns feed the field {name!r}.')
        for name in source.fields.keys() - source.defaults - {*fed}:
            hint = near_miss(name, columns)
            remedy = 'defaults= names such fields'
            if name in source.links and source.fields[name].isMulti():
                remedy += ', links= feeds a multi link from a join table'
            self._note(f'no column feeds the field {name!r}.{hint} ({remedy}.)')
        for name in source.columns.keys() - {*columns}:
            if not alike(name, columns):
                self._note(f'the select has no column {name!r}.{near_miss(name, columns)}')

    def _note(self, text: str) -> None:
        self.problems.append(f'{self._source.name}: {text}')

    def _key_columns(self) -> tuple[int, ...]:
        numbers: list[int] = []
        for name in self._source.key:
            numbers += self._parts.get(name) or self._numbers('the key', [name])
        return tuple(numbers) if len(numbers) == self._source.key_width else ()

    def _numbers(self, what: str, names: Sequence[str]) -> list[int]:
        """Return the numbers of columns, given by their names or by the fields that they feed.

        :param what: what they are for, for messages
        """
        columns, numbers = self._columns, []
        fields = [self._field_of(name) for name in columns]
        for name in names:
            for known in (fields, list(columns), [column.casefold() for column in columns]):
                found = [known.index(each) for each in (name, name.casefold()) if each in known]
                if found:
                    numbers.append(found[0])
                    break
            else:
                self._note(f'{what} {name!r} is no column.{near_miss(name, columns)}')
        return numbers

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

    def _add(self, number: int) -> list[str]:
        """Add a column; returns the field that it feeds, or nothing."""
        source, column = self._source, self._columns[number]
        name = self._field_of(column)
        if not name:
            parts = (*self.key, *(part for parts in self._parts.values() for part in parts))
            if name == '' and number not in parts:
                hint = f'{near_miss(column, source.fields)} (Map it to None to leave it out.)'
                self._note(f'the column {column!r} feeds no field.{hint}')
            return []
        if name in source.links:
            self._add_link(name, [number])
        else:
            sql_type = source.type_of(number, len(self._columns))
            converted = conversion(
                source.fields[name],
                sql_type,
                number in self._decoded,
                name in source.epochs,
                self._zero_dates,
            )
            self.feeds.append(Feed(number, name, converted))
        return [name]

    @property
    def fields(self) -> list[str | None]:
        """The plain field that each column feeds; None if it feeds none."""
        fields = {feed.column: feed.field for feed in self.feeds}
        return [*map(fields.get, range(len(self._columns)))]

    def columns_of(self, name: str) -> list[str]:
        """Return the names of the columns that feed a link; none if a join table does."""
        parts = self._source.link_columns.get(name)
        fed = [column for column in self._columns if self._field_of(column) == name]
        return [self._columns[number] for number in self._parts[name]] if parts else fed

    def _add_link(self, name: str, numbers: Sequence[int]) -> None:
        target = target_of(self._sources, self._source.links[name])
        fold = target is not None and target.fold
        multi = self._source.fields[name].isMulti()
        self.links.append(Link(name, target, multi, reader(numbers, fold)))

    def _add_links(self, joined: Mapping[str, JoinedKeys]) -> Iterator[str]:
        """Add the links that several columns or a join table feed, and yield their names."""
        for name, numbers in self._parts.items():
            if numbers:
                self._add_link(name, numbers)
            yield name
        for name in self._source.joins:
            target, key_of = target_of(self._sources, self._source.links[name]), self.key_of
            keys = joined.get(name, JoinedKeys())
            if key_of is not None:
                self.links.append(Link(name, target, True, _joined(keys, key_of)))
            yield name


def _joined(keys: JoinedKeys, key_of: Reader) -> Reader:
    return lambda row: keys.of(key_of(row))
