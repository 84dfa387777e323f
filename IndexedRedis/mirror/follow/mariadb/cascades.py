"""Rows that foreign keys change by themselves: InnoDB writes none of these to the binlog.

The rule: where a change of one table can cascade to a followed one, that whole table counts as
changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

__all__ = ('Cascade', 'cascades', 'unreadable_parents')

# As SHOW CREATE TABLE writes them, one a line.
_FOREIGN_KEY = re.compile(r' FOREIGN KEY (\(.+?\)) REFERENCES (.+?) (\(.+?\))(.*)')
_NAME = re.compile(r'`((?:[^`]|``)+)`')
_ACTIONS = ('CASCADE', 'SET NULL', 'SET DEFAULT')


class _Reference(NamedTuple):
    parent: str
    child: str
    columns: tuple[str, ...]
    delete: str
    update: str


class Cascade(NamedTuple):
    """What follows from changes of a table that others refer to."""

    #: followed tables that a deleted row changes
    on_delete: frozenset[str]
    #: followed tables that a changed key changes
    on_update: frozenset[str]
    #: the columns of that key, or keys
    columns: tuple[str, ...]


def cascades(connection: Connection, tables: Iterable[str]) -> dict[str, Cascade]:
    """Return, by table, what cascades from it to some of the followed tables.

    :param tables: the full names of the followed tables
    """
    followed = frozenset(tables)
    references, _ = _references(connection, followed)
    found = {}
    for parent in {each.parent for each in references}:
        columns = {name for each in references if each.parent == parent for name in each.columns}
        on_delete = frozenset(_reached(references, parent, True, set()) & followed)
        on_update = frozenset(_reached(references, parent, False, set()) & followed)
        if on_delete or on_update:
            found[parent] = Cascade(on_delete, on_update, tuple(sorted(columns)))
    return found


def unreadable_parents(connection: Connection, tables: Iterable[str]) -> list[str]:
    """Return the tables that followed ones refer to and that the user may not read."""
    return _references(connection, tables)[1]


def _references(
    connection: Connection, tables: Iterable[str]
) -> tuple[list[_Reference], list[str]]:
    """Return the foreign keys that change rows, upwards from some tables."""
    todo, seen = [*tables], set(tables)
    references, unreadable = [], []
    while todo:
        child = todo.pop()
        try:
            found = [*_foreign_keys(connection, child)]
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            unreadable.append(child)
            continue
        references += found
        parents = {each.parent for each in found} - seen
        seen |= parents
        todo += parents
    return references, sorted(unreadable)


def _foreign_keys(connection: Connection, child: str) -> Iterator[_Reference]:
    """Yield the foreign keys of a table that change its rows.

    They stand in no view of information_schema that a user sees who may only read the table.
    """
    schema, _, table = child.partition('.')
    quoted = [f'`{name.replace("`", "``")}`' for name in (schema, table)]
    asked = f'SHOW CREATE TABLE {".".join(quoted)}'.replace(':', r'\:')
    row = connection.execute(text(asked)).one()
    for _, referred, columns, rules in _FOREIGN_KEY.findall(str(row[1])):
        delete, update = (_rule(rules, change) for change in ('DELETE', 'UPDATE'))
        if delete in _ACTIONS or update in _ACTIONS:
            names = _names(referred)
            parent = '.'.join(names if len(names) == 2 else [schema, *names])
            yield _Reference(parent, child, tuple(_names(columns)), delete, update)


def _rule(rules: str, change: str) -> str:
    found = re.search(rf'ON {change} (CASCADE|SET NULL|SET DEFAULT)', rules)
    return found[1] if found else ''


def _names(quoted: str) -> list[str]:
    return [name.replace('``', '`') for name in _NAME.findall(quoted)]


def _reached(
    references: list[_Reference], parent: str, deleted: bool, seen: set[tuple[str, bool]]
) -> set[str]:
    """Return the tables that change by themselves where a row is deleted, or has another key."""
    if (parent, deleted) in seen:
        return set()
    seen.add((parent, deleted))
    reached = set()
    for each in references:
        rule = each.delete if deleted else each.update
        if each.parent == parent and rule in _ACTIONS:
            gone = deleted and rule == 'CASCADE'
            reached |= {each.child} | _reached(references, each.child, gone, seen)
    return reached
