"""Plan the models for some tables: names, fields, keys, indexes, and an order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from .linking import Links
from .naming import field_name, link_name, model_name, plural, unused
from .reading import Column, ForeignKey, Table

__all__ = ('Field', 'Join', 'Model', 'plan_models')


class Field(NamedTuple):
    """A field of a model.

    :param code: the field in Python; empty: none, and only the note is written
    :param name: its name
    :param columns: the columns that feed it; empty: a join table does
    :param select: the SQL expression to select, with ``{column}``; empty: the column
    :param note: a comment
    """

    code: str
    name: str
    columns: tuple[str, ...]
    select: str = ''
    note: str = ''
    indexed: bool = False


class Join(NamedTuple):
    """A join table, which feeds a multi link.

    :param columns: its columns with the key of the linking, then of the linked table, each with
        the SQL expression to select
    """

    field: str
    table: Table
    columns: tuple[tuple[str, str], ...]


class Model(NamedTuple):
    """A model, and how it is fed."""

    name: str
    table: Table
    fields: tuple[Field, ...]
    joins: tuple[Join, ...]

    @property
    def key(self) -> tuple[str, ...]:
        """The fields of the key; empty if there is none, or a part of it has no field."""
        names = {each.columns: each.name for each in self.fields if each.code}
        found = [names.get((column,), '') for column in self.table.key]
        return tuple(found) if all(found) else ()


def plan_models(tables: Sequence[Table]) -> list[Model]:
    """Return a model for each table that is no join table, targets of links first."""
    links = Links(tables)
    names: dict[str, str] = {}
    for name in links.models:
        names[name] = unused(model_name(name.rpartition('.')[2]), names.values())
    return [_model(table, links, names) for table in links.in_order()]


def _model(table: Table, links: Links, names: Mapping[str, str]) -> Model:
    linked = links.linked.get(table.name, [])
    single = {key.columns[0]: key for key in reversed(linked) if len(key.columns) == 1}
    notes = {
        key.columns: f'{", ".join(key.columns)} refers to {key.table}, as a plain value: {reason}'
        for (name, key), reason in links.reasons.items()
        if name == table.name
    }
    used = {*names.values()}  # in the class, a field would hide the model of its name
    columns = {each.name for each in table.columns}
    fields: list[Field] = []
    for column in table.columns:
        key = single.get(column.name)
        if key is None:
            field = _plain(column, table, used, notes.pop((column.name,), ''))
        else:
            name = link_name(column.name, key.targets[0])
            name = field_name(column.name) if name in columns | used else name
            field = _link(name, key, table, links.models[key.table], names)
        used.add(field.name)
        fields.append(field)
    fields += _composite_links(table, links, names, used)
    joins = [*_joins(table, links, used)]
    fields += (
        Field(
            f'IRForeignMultiLinkField({{name}}, {names[target.name]})',
            join.field,
            (),
            note=f'from the table {join.table.name}',
        )
        for join, target in joins
    )
    fields += (Field('', '', (), note=note) for note in notes.values())
    return Model(names[table.name], table, tuple(fields), tuple(join for join, _ in joins))


def _plain(column: Column, table: Table, used: set[str], note: str) -> Field:
    choice = column.choice
    name = unused(field_name(column.name), used)
    if not choice.field:
        name, note = '', f'{column.name}: {choice.note}'
    indexed = choice.can_index and column.name in (
        *(*table.key, *table.indexed),
        *(name for key in table.foreign_keys for name in key.columns),
    )
    return Field(choice.field, name, (column.name,), choice.select, note or choice.note, indexed)


def _link(
    name: str, key: ForeignKey, source: Table, target: Table, names: Mapping[str, str]
) -> Field:
    """Return a link of one column. It is selected like the key that it holds."""
    code = f'IRForeignLinkField({{name}}, {_named(target, source, names)})'
    return Field(code, name, key.columns, _selects(target)[key.targets[0]], indexed=True)


def _named(target: Table, source: Table, names: Mapping[str, str]) -> str:
    """Return a model as a link names it: by its name in quotes, if it links to itself."""
    name = names[target.name]
    return repr(name) if target.name == source.name else name


def _selects(table: Table) -> dict[str, str]:
    return {each.name: each.choice.select for each in table.columns}


def _composite_links(
    source: Table, links: Links, names: Mapping[str, str], used: set[str]
) -> Iterator[Field]:
    """Yield the links of several columns, in the order of the key that they hold."""
    for key in links.linked.get(source.name, ()):
        if len(key.columns) > 1:
            target = links.models[key.table]
            name = unused(field_name(key.table.rpartition('.')[2]), used)
            used.add(name)
            code = f'IRForeignLinkField({{name}}, {_named(target, source, names)})'
            yield Field(code, name, _in_order(key, target), indexed=True)


def _joins(table: Table, links: Links, used: set[str]) -> Iterator[tuple[Join, Table]]:
    """Yield the join tables of a table, and where each leads."""
    for join, own, to in links.joins.get(table.name, ()):
        target = links.models[to.table]
        name = unused(field_name(plural(target.name.rpartition('.')[2])), used)
        used.add(name)
        columns = [
            (column, _selects(at)[at_column])
            for key, at in ((own, table), (to, target))
            for column, at_column in zip(_in_order(key, at), at.key, strict=True)
        ]
        yield Join(name, join, tuple(columns)), target


def _in_order(key: ForeignKey, target: Table) -> tuple[str, ...]:
    """Return the columns of a foreign key, in the order of the key that they hold."""
    columns = dict(zip(key.targets, key.columns, strict=True))
    return tuple(columns[each] for each in target.key)
