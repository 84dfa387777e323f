"""Decide which foreign keys and join tables become links.

The rule: every link is one that a mirror can follow. A foreign key for which that does not hold
stays a plain value, with a reason.
"""

from __future__ import annotations

from collections.abc import Sequence

from .reading import ForeignKey, Table

__all__ = ('Links',)


class Links:
    """Which foreign keys and join tables become links.

    :param tables: all tables
    """

    def __init__(self, tables: Sequence[Table]) -> None:
        self._tables = {table.name: table for table in tables}
        joins = [table for table in tables if self._may_be_join(table)]
        #: the tables that get a model
        self.models = {table.name: table for table in tables if table not in joins}
        #: the join tables of each model, as links: own columns, then those of the target
        self.joins: dict[str, list[tuple[Table, ForeignKey, ForeignKey]]] = {}
        #: the foreign keys that become links
        self.linked: dict[str, list[ForeignKey]] = {}
        #: why others do not
        self.reasons: dict[tuple[str, ForeignKey], str] = {}
        self._edges: dict[str, set[str]] = {}
        # Where a circle has to be cut, a link that can be null goes.
        keys = [(table, key) for table in self.models.values() for key in table.foreign_keys]
        for table, key in sorted(keys, key=lambda each: self._can_be_null(*each)):
            self._try(table, key)
        for table in joins:
            if not self._join(table):
                self.models[table.name] = table
                for key in table.foreign_keys:
                    self._try(table, key)

    @staticmethod
    def _can_be_null(table: Table, key: ForeignKey) -> bool:
        return any(each.nullable for each in table.columns if each.name in key.columns)

    def _may_be_join(self, table: Table) -> bool:
        """Return whether a table has two foreign keys and nothing else."""
        if len(table.foreign_keys) != 2:
            return False
        one, other = table.foreign_keys
        columns = sorted(each.name for each in table.columns)
        referred = any(
            key.table == table.name for each in self._tables.values() for key in each.foreign_keys
        )
        return (
            sorted((*one.columns, *other.columns)) == columns
            and one.table != other.table
            and not referred
            and not any(map(self._can_be_null, (table, table), (one, other)))
        )

    def _try(self, table: Table, key: ForeignKey) -> None:
        reason = self._refusal(table.name, key)
        if reason:
            self.reasons[table.name, key] = reason
        else:
            self.linked.setdefault(table.name, []).append(key)
            self._edges.setdefault(table.name, set()).add(key.table)

    def _refusal(self, source: str, key: ForeignKey) -> str:
        """Return why a foreign key cannot be a link; empty if it can."""
        target = self.models.get(key.table)
        if target is None:
            return f'{key.table} has no model'
        if sorted(target.key) != sorted(key.targets):
            return f'{", ".join(key.targets)} is not the key of {key.table}'
        selected = [each for each in target.columns if each.name in target.key]
        if not all(each.choice.field for each in selected):
            return f'the key of {key.table} has no field'
        if key.table != source and self._leads(key.table, source):
            return f'a link to {key.table} would close a circle'
        return ''

    def _leads(self, start: str, end: str) -> bool:
        """Return whether links lead from one table to another."""
        seen, todo = {start}, [start]
        while todo:
            new = self._edges.get(todo.pop(), set()) - seen
            seen |= new
            todo += new
        return end in seen

    def _join(self, table: Table) -> bool:
        """Make a multi link of a join table, in the direction that closes no circle."""
        first = table.columns[0].name
        keys = sorted(table.foreign_keys, key=lambda key: first not in key.columns)
        for own, target in (keys, keys[::-1]):
            if not self._refusal(table.name, own) and not self._refusal(own.table, target):
                self.joins.setdefault(own.table, []).append((table, own, target))
                self._edges.setdefault(own.table, set()).add(target.table)
                return True
        return False

    def in_order(self) -> list[Table]:
        """Return the tables that get a model, targets of links first."""
        ordered: dict[str, Table] = {}

        def add(name: str) -> None:
            for target in sorted(self._edges.get(name, set()) - {name}):
                if target not in ordered:
                    add(target)
            ordered[name] = self.models[name]

        for name in self.models:
            if name not in ordered:
                add(name)
        return list(ordered.values())
