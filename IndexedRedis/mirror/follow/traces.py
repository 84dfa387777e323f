"""Traces: from a row that changed, in any table that a select reads, to the keys of its rows.

The rule: a trace may lead to too many keys, never to too few. Where that cannot be proven, the
mirror is refused, and ``follow=`` says it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    TableClause,
    TextClause,
    bindparam,
    column,
    select,
    table,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import Select

from ...errors import UsageError
from ..keys.reading import key_in, with_stripped
from ..source import Source
from .joined import Graph

__all__ = ('Rows', 'Trace', 'check_given', 'keys_in', 'reader_of', 'traces_of')

Rows = Iterable[tuple[Any, ...]]

# Values of a trace that one query looks up.
AT_ONCE = 500
# A parameter of SQL text, such as ``:id``; ``::int`` is none.
_PARAMETER = re.compile(r'(?<![:\w\\]):([A-Za-z_]\w*)')
# A select from joined tables where rows satisfy equalities, one of them with a parameter: groups 1
# and 2 are its column and the parameter. As nothing else is in it, the rows for several values are
# those for each of them.
_NAME = r'[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*'
_NAMED = rf'{_NAME}(?:\s+(?:AS\s+)?[A-Za-z_]\w*)?'
_EQUAL = rf"{_NAME}\s*=\s*(?:{_NAME}|\d+|'[^'\\:]*')"
_JOINED = rf'JOIN\s+{_NAMED}\s+ON\s+{_EQUAL}(?:\s+AND\s+{_EQUAL})*'
_PLAIN = re.compile(
    rf'SELECT\s+(?:DISTINCT\s+)?{_NAMED}(?:\s*,\s*{_NAMED})*'
    rf'\s+FROM\s+{_NAMED}(?:\s*,\s*{_NAMED}|\s+(?:(?:INNER|LEFT)\s+)?{_JOINED})*'
    rf'\s+WHERE\s+(?:{_EQUAL}\s+AND\s+)*({_NAME})\s*=\s*:(\w+)(?:\s+AND\s+{_EQUAL})*',
    re.IGNORECASE,
)


class Trace(NamedTuple):
    """One table that a select reads, and how its rows lead to keys of the select."""

    source: Source
    #: the table and its schema; None: where the database looks first
    table: str
    schema: str | None
    #: the columns of the table that tell: their values before and after a change are known
    columns: tuple[str, ...]
    #: what selects keys for values of these columns; None: the values are the key. Another table's
    #: are looked up unless they are integers: text may equal a key by its collation only.
    lookup: Any = None
    #: as which columns SQLAlchemy reads these values; none: as they are
    read_as: tuple[Any, ...] = ()


def traces_of(sources: Sequence[Source], given: Mapping[Any, Any]) -> list[Trace]:
    """Return the traces of all selects: those that are given, or those that can be proven.

    :param given: for each model pairs of a table, and its columns that hold the key, or a select
    :raises UsageError: if a select has none, with all such selects
    """
    traces: list[Trace] = []
    models = [source.model for source in sources]
    problems = [
        f'follow= names {getattr(each, "__name__", repr(each))}, which is no model of this mirror.'
        for each in given
        if each not in models
    ]
    for source in sources:
        try:
            if source.model in given:
                told = [*_given(source, given[source.model])]
                traces += [*told, *_joins_beside(source, told)]
            else:
                traces += _proven(source)
                traces += chain.from_iterable(_of_join(source, name) for name in source.joins)
        except UsageError as error:
            problems.append(str(error))
    if problems:
        raise UsageError('\n'.join(problems))
    return traces


def keys_in(connection: Any, trace: Trace, values: Rows) -> set[Any]:
    """Return the keys that values of a table lead to: of one column, or tuples.

    :param connection: a snapshot of the database
    """
    found: Iterable[Any] = {*with_stripped(values)}
    if isinstance(trace.lookup, _Lookup):
        blocks = map(trace.lookup.query, _blocks([*found]))
        found = chain.from_iterable(map(connection.execute, blocks))
    elif (name_and_many := _for_many(trace.lookup)) is not None:
        name, many = name_and_many
        lists = ([value for (value,) in block] for block in _blocks([*found]))
        found = chain.from_iterable(connection.execute(many, {name: each}) for each in lists)
    elif trace.lookup is not None:
        parameters = (dict(zip(trace.columns, each, strict=True)) for each in found)
        asked = (connection.execute(trace.lookup, each) for each in parameters)
        found = chain.from_iterable(asked)
    return {key_in(row) for row in found if None not in row}  # a null leads to no row


def _for_many(statement: Any) -> tuple[str, TextClause] | None:
    """Return the parameter of SQL text, and a select of the rows for several values of it; None if
    it is not known that these are the rows for each value."""
    found = _PLAIN.fullmatch(statement.text) if isinstance(statement, TextClause) else None
    if found is None:
        return None
    sql, name = found.string, found[2]
    many = f'{sql[: found.end(1)]} IN :{sql[found.start(2) :]}'
    return name, text(many).bindparams(bindparam(name, expanding=True))


def check_given(connection: Connection, trace: Trace) -> None:
    """Run a given select of keys for one row of its table: a mistake shows now, not at a change.

    :raises UsageError: if it fails, or does not select keys
    """
    if trace.lookup is None or isinstance(trace.lookup, _Lookup):
        return
    name, columns = f'{trace.source.name}: the select that follows {trace.table!r}', trace.columns
    where = table(trace.table, *map(column, columns), schema=trace.schema)
    try:
        row = connection.execute(select(where).limit(1)).first()
    except DBAPIError:
        return  # a column that does not exist, or a right that is missing: the plan says it
    if row is None:
        return
    try:
        found = connection.execute(trace.lookup, dict(zip(columns, row, strict=True)))
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        raise UsageError(f'{name} fails: {error.orig}') from error
    width, wanted = len(found.keys()), trace.source.key_width
    if width != wanted:
        raise UsageError(
            f'{name} has {width} columns; the key has {wanted} ({trace.source.shown_key}).'
        )


def reader_of(connection: Connection, columns: Sequence[Any]) -> Callable[[Rows], Rows]:
    """Return what turns values, as the driver has them, into what a select of columns returns, such
    as the values of a ``TypeDecorator``.

    :param columns: of tables or selects; none: the values stay as they are
    """
    if not columns:
        return lambda rows: rows
    dialect = connection.dialect
    # Some types read what the database calls the type of the column.
    with connection.execute(select(*columns).limit(0)) as result:
        codes = [each[1] for each in result.cursor.description] if result.cursor else []
    impls = [column.type.dialect_impl(dialect) for column in columns]
    pairs = zip(impls, codes, strict=True)
    reads = [impl.result_processor(dialect, code) or _same for impl, code in pairs]
    if all(read is _same for read in reads):
        return lambda rows: rows
    return lambda rows: (
        tuple(read(value) for read, value in zip(reads, row, strict=True)) for row in rows
    )


def _same(value: Any) -> Any:
    return value


def _blocks(values: list[Any]) -> Iterator[list[Any]]:
    return (values[first : first + AT_ONCE] for first in range(0, len(values), AT_ONCE))


def _given(source: Source, pairs: Any) -> Iterator[Trace]:
    for pair in pairs:
        try:
            where, what = pair
        except (TypeError, ValueError):
            raise UsageError(
                f'{source.name}: follow= takes pairs of a table, and its columns that hold the key '
                f'or a select of keys; given was {pair!s}.'
            ) from None
        name, schema = _table_of(source, where)
        if isinstance(what, str) and re.search(r'\s', what.strip()):
            what = text(what.strip().rstrip(';'))
        if isinstance(what, (str, tuple, list)):
            names = (what,) if isinstance(what, str) else tuple(what)
            _check_width(source, name, len(names))
            yield Trace(source, name, schema, names, read_as=_selected_keys(source))
            continue
        bound = _parameters(what)
        if not bound:
            raise UsageError(
                f'{source.name}: the select that follows {name!r} has no parameter. It takes the '
                'values of a row that changed, such as WHERE album_id = :id.'
            )
        yield Trace(source, name, schema, bound, what)


def _selected_keys(source: Source) -> tuple[Any, ...]:
    """Return the selected columns of a key; none for SQL text, whose columns have no types."""
    if not hasattr(source.statement, 'selected_columns'):
        return ()
    return tuple(_selected(source, name) for name in _key_names(source))


def _parameters(statement: Any) -> tuple[str, ...]:
    """Return the names of the parameters of SQL text, or of a select."""
    if hasattr(statement, '_bindparams'):  # SQL text
        return tuple(dict.fromkeys(_PARAMETER.findall(statement.text)))
    binds = getattr(statement.compile(), 'binds', {}) if hasattr(statement, 'compile') else {}
    return tuple(name for name, bind in binds.items() if bind.required)


def _table_of(source: Source, given: Any) -> tuple[str, str | None]:
    given = getattr(given, '__table__', given)
    if isinstance(given, TableClause):
        return given.name, given.schema
    if isinstance(given, str) and given:
        schema, _, name = given.rpartition('.')
        return name, schema or None
    raise UsageError(f'{source.name}: follow= names tables, not {given!r}.')


def _check_width(source: Source, name: str, width: int) -> None:
    if width != source.key_width:
        raise UsageError(
            f'{source.name}: the key has {source.key_width} columns ({source.shown_key}), not the '
            f'{width} that follow= names of {name!r}.'
        )


def _proven(source: Source) -> Iterator[Trace]:
    graph = Graph(source.name, source.statement)
    keys = [graph.base_of(_selected(source, name)) for name in _key_names(source)]
    yield from _of_graph(source, graph, keys)


def _joins_beside(source: Source, told: Sequence[Trace]) -> Iterator[Trace]:
    """Yield the traces of the join tables that ``follow=`` leaves out."""
    tables = {(trace.table, trace.schema) for trace in told}
    for name in source.joins:
        with suppress(UsageError):  # follow= names the tables of a join that cannot be proven
            for trace in [*_of_join(source, name)]:
                if (trace.table, trace.schema) not in tables:
                    yield trace


def _of_join(source: Source, name: str) -> Iterator[Trace]:
    """Yield the traces of the select that feeds a multi link."""
    statement = source.joins[name]
    joined = Graph(f'{source.name}.{name}', statement)
    first = [*statement.selected_columns][: source.key_width]
    yield from _of_graph(source, joined, [joined.base_of(each) for each in first])


def _key_names(source: Source) -> Iterator[str]:
    for name in source.key:
        yield from source.link_columns.get(name, (name,))


def _selected(source: Source, name: str) -> Any:
    """Return the selected column of a key; it is named, or feeds the field of that name."""
    columns = {each.key: each for each in source.statement.selected_columns}
    for known, each in columns.items():
        if name in (known, source.columns.get(known)):
            return each
    for known, each in columns.items():
        if name.casefold() == known.casefold():
            return each
    raise UsageError(f'{source.name}: the select has no column {name!r}, which its key names.')


def _of_graph(source: Source, graph: Graph, keys: Sequence[Column[Any]]) -> Iterator[Trace]:
    """Yield a trace for each table of a select.

    :param keys: the columns of the key, of one table
    """
    home = keys[0].table
    if any(each.table is not home for each in keys):
        raise UsageError(
            f'{source.name}: its key comes from several tables; follow= says which rows of each '
            'table lead to which keys.'
        )
    graph.check_grouping(keys)
    for node, own, other, path in graph.paths_from(home):
        base = graph.table_of(node)
        if own is None:
            names, lookup, read_as = [key.name for key in keys], None, keys
        else:
            names, read_as = [own.name], [other]
            is_key = [other] == list(keys) and isinstance(other.type, Integer)
            lookup = None if is_key else _Lookup(keys, other, path)
        yield Trace(source, base.name, base.schema, tuple(names), lookup, tuple(read_as))


class _Lookup:
    """Makes the query of keys for values of a column of another table.

    :param keys: the columns of the key
    :param other: the column that is equal to it
    :param path: the tables between, joined
    """

    def __init__(self, keys: Sequence[Any], other: Any, path: Any) -> None:
        self._statement: Select[Any] = select(*keys).select_from(path).distinct()
        self._other = other

    def query(self, values: list[tuple[Any, ...]]) -> Select[Any]:
        return self._statement.where(self._other.in_([value for (value,) in values]))
