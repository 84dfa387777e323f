"""The tables of a select, and the equalities that join them.

The rule: a row of a joined table can only matter to rows that satisfy each equality; so one of them
leads to all rows that it may matter to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Alias, SelectBase, TableClause, TextClause
from sqlalchemy.sql import ColumnElement, FromClause, Join, Select, operators, visitors
from sqlalchemy.sql.elements import (
    BinaryExpression,
    BooleanClauseList,
    ColumnClause,
    Grouping,
    Over,
)
from sqlalchemy.sql.functions import FunctionElement

from ...errors import UsageError

__all__ = ('Graph', 'why_entangled')

Equal = tuple[Any, Any]  # two columns
# What a select may have beside columns, tables and conditions; the last four since SQLAlchemy 2.1.
_ADDED = (
    *('_distinct_on', '_prefixes', '_suffixes', '_pre_columns_clause'),
    *('_post_select_clause', '_post_criteria_clause', '_post_body_clause'),
)
_AGGREGATES = (
    *('max', 'min', 'sum', 'count', 'avg', 'group_concat', 'string_agg', 'array_agg'),
    *('json_agg', 'jsonb_agg', 'json_arrayagg', 'json_objectagg', 'bool_and', 'bool_or'),
)
_WINDOW = re.compile(r'\bover\b', re.IGNORECASE)
_SUBQUERY = re.compile(r'\bselect\b', re.IGNORECASE)


class Graph:
    """The tables and equalities of one select.

    :param name: of what it feeds, for messages
    :raises UsageError: if it is anything but a select of tables and their joins
    """

    def __init__(self, name: str, statement: Any) -> None:
        self._name = name
        if isinstance(statement, TextClause):
            raise self._refused('the select is SQL text, which does not name its tables')
        if not isinstance(statement, Select):
            raise self._refused(f'the select is a {type(statement).__name__}, not one select')
        if reason := why_entangled(statement):
            raise self._refused(reason)
        self._statement = statement
        self._nodes: list[FromClause] = []
        self._equal: list[Equal] = []
        for each in statement.get_final_froms():
            self._add(each)
        if statement.whereclause is not None:
            self._equal += equalities(statement.whereclause)
        # An attribute of a mapped class is an annotated copy of a column, and has its hash.
        self._columns = {hash(each): each for node in self._nodes for each in node.c}
        pairs = [[self._columns.get(hash(side)) for side in pair] for pair in self._equal]
        self._equal = [
            (one, other) for one, other in pairs if one is not None and other is not None
        ]
        self._check_inside(statement)

    def _refused(self, reason: str) -> UsageError:
        return UsageError(
            f'{self._name}: the mirror cannot derive which rows a change in SQL affects: {reason}. '
            'Name the tables by follow=, or change the select: see docs/howto/follow.rst.'
        )

    def _add(self, given: FromClause) -> None:
        if isinstance(given, Join):
            self._add(given.left)
            self._add(given.right)
            self._equal += equalities(given.onclause)
        elif isinstance(given, TableClause) or (
            isinstance(given, Alias) and isinstance(given.element, TableClause)
        ):
            # The table of a mapped class may be an annotated copy; its columns have the original.
            self._nodes += {column.table: None for column in given.c}
        else:
            raise self._refused(f'it selects from a {type(given).__name__}, not from a table')

    def _check_inside(self, statement: Any) -> None:
        """Check that no table is read in a subquery."""
        known = {hash(self.table_of(node)) for node in self._nodes}
        for part in visitors.iterate(statement):
            if isinstance(part, TableClause) and hash(part) not in known:
                raise self._refused(f'it reads {part.name!r} in a subquery')
            sql = str(part) if is_text(part) else ''
            if _SUBQUERY.search(sql):
                raise self._refused(f'a text in it has a subquery: {sql[:100]}')
        for part in visitors.iterate(statement):
            if isinstance(part, SelectBase) and part is not statement:
                raise self._refused('it reads its own table in a subquery')

    def check_grouping(self, keys: Sequence[Any]) -> None:
        """Check that each row of the select is made of rows with its own key.

        :param keys: the columns of the key
        :raises UsageError: if it may be made of others too
        """
        grouped = {hash(each) for each in self._statement._group_by_clauses}
        if grouped and not {*map(hash, keys)} <= grouped:
            raise self._refused('it groups rows, but not by its key')
        if not grouped and (name := next(aggregates(self._statement), '')):
            raise self._refused(f'{name}() makes one row of all')

    def table_of(self, node: Any) -> TableClause:
        """Return the table that a node is, or is an alias of."""
        found = node.element if isinstance(node, Alias) else node
        assert isinstance(found, TableClause)
        return found

    def base_of(self, selected: ColumnElement[Any]) -> Any:
        """Return the column of a table that a selected column is.

        :raises UsageError: if it is an expression
        """
        for element in (selected, getattr(selected, 'element', None)):
            if hash(element) in self._columns:
                return self._columns[hash(element)]
        raise self._refused(f'its key {selected} is not a column of a table')

    def paths_from(self, home: FromClause) -> Iterator[tuple[Any, Any, Any, Any]]:
        """Yield each table with the column by which it is reached, the column of an earlier table
        that equals it, and the join of the earlier tables. These are None for the first one.

        :raises UsageError: if a table is not reached
        """
        yield home, None, None, home
        paths: dict[int, Any] = {id(home): home}
        waiting = [node for node in self._nodes if node is not home]
        while waiting:
            found = next(self._reached(waiting, paths), None)
            if found is None:
                names = ', '.join(repr(self.table_of(node).name) for node in waiting)
                raise self._refused(f'no equality of columns joins {names}')
            node, own, other = found
            yield node, own, other, paths[id(other.table)]
            paths[id(node)] = paths[id(other.table)].join(node, own == other)
            waiting.remove(node)

    def _reached(
        self, waiting: list[FromClause], paths: dict[int, Any]
    ) -> Iterator[tuple[FromClause, Any, Any]]:
        for one, two in self._equal:
            for own, other in ((one, two), (two, one)):
                for node in waiting:
                    if own.table is node and id(other.table) in paths:
                        yield node, own, other


def equalities(clause: Any) -> Iterator[Equal]:
    """Yield the pairs of columns that a condition says are equal, whatever else it says."""
    if isinstance(clause, Grouping):
        yield from equalities(clause.element)
    elif isinstance(clause, BooleanClauseList) and clause.operator is operators.and_:
        for each in clause.clauses:
            yield from equalities(each)
    elif isinstance(clause, BinaryExpression) and clause.operator is operators.eq:
        sides = (clause.left, clause.right)
        if all(isinstance(side, ColumnElement) and is_column(side) for side in sides):
            yield sides


def why_entangled(statement: Select[Any]) -> str:
    """Return why a row of a select may come, go or change with another row; empty if none does."""
    limited = (statement._limit_clause, statement._offset_clause, statement._fetch_clause)
    if any(part is not None for part in limited):
        return 'it has a limit, so each row depends on all others'
    added = (getattr(statement, name, None) for name in _ADDED)
    if any(each is not None and each != () for each in added):
        return 'it has DISTINCT ON, or words of a database, after which rows may depend on others'
    for part in visitors.iterate(statement):
        if isinstance(part, Over) or (is_text(part) and _WINDOW.search(str(part))):
            return 'a window function looks at other rows'
    return ''


def aggregates(statement: Select[Any]) -> Iterator[str]:
    """Yield the names of functions in a select that make one value of many rows."""
    for part in visitors.iterate(statement):
        if isinstance(part, FunctionElement) and part.name.lower() in _AGGREGATES:
            yield part.name


def is_text(element: Any) -> bool:
    """Return whether an element is SQL text: ``text()`` or ``literal_column()``."""
    return isinstance(element, TextClause) or (
        isinstance(element, ColumnClause) and element.is_literal
    )


def is_column(element: Any) -> bool:
    """Return whether an element is a column of a table, or of an alias of one."""
    return isinstance(getattr(element, 'table', None), (TableClause, Alias))
