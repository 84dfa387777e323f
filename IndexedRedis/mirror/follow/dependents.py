"""Rows that link to a row which came or went: their links change, though they did not.

The rule: a link is null, or counts as dangling, exactly while no row has its key, as after a full
swap.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, TableClause, inspect
from sqlalchemy.sql import Select

from ...errors import UsageError
from ..database import Snapshot
from ..guards import Rules
from ..keys.reading import key_in, with_stripped
from ..source import Source
from .keyed import KeyedSource, keyed

__all__ = ('keyed_sources', 'keys_of_linking')


def keyed_sources(
    sources: Sequence[Source], snapshot: Snapshot, rules: Rules
) -> dict[Source, KeyedSource]:
    """Return what is known of each select, with the links whose target may come or go alone.

    :raises UsageError: if the rows that link to a row cannot be found: an array feeds a multi link
    """
    rule = rules.zero_dates if snapshot.has_zero_dates else ''
    found = {source: keyed(source, sources, snapshot, rule) for source in sources}
    for source, known in found.items():
        for name in known.linking:
            if source.fields[name].isMulti() and name not in source.joins:
                raise UsageError(
                    f'{source.name}.{name}: an array of keys cannot be followed. Select the join '
                    'table by links=.'
                )
        # If the rules leave rows out, one may come that was in SQL before.
        known.uncertain = _uncertain(snapshot.connection, known, rules.leaves_out)
    return found


def _uncertain(
    connection: Connection, known: KeyedSource, leaves_out: bool
) -> list[tuple[str, Source]]:
    """Return the links whose target may come or go alone, and these targets.

    If a foreign key of the database leads to each row of the target's select, and all these rows
    are in Redis, then rows that link to a row come after it, and go or change before it.
    """
    links = [(link.field, link.target) for link in known.links if link.target is not None]
    # MariaDB has an index on each foreign key, so a look-up is cheap there; and imports switch
    # foreign keys off.
    sure = connection.dialect.name == 'postgresql' and not leaves_out
    return [
        (name, target)
        for name, target in links
        if not (sure and _is_guaranteed(connection, known.linking[name], target))
    ]


def keys_of_linking(
    connection: Any, known: KeyedSource, name: str, targets: Sequence[Any]
) -> set[Any]:
    """Return the keys of the rows whose link leads to some keys.

    :param connection: a snapshot
    :param name: the link field
    """
    rows = connection.execute(known.linking[name].keys_to([*with_stripped(targets)]))
    return {*map(key_in, rows)}


def _is_guaranteed(connection: Connection, linking: Any, target: Source) -> bool:
    """Return whether the database has a foreign key from what links to the key of the target."""
    statement = target.statement
    if not isinstance(statement, Select) or statement.whereclause is not None:
        return False
    froms = statement.get_final_froms()
    if len(froms) != 1 or not isinstance(froms[0], TableClause):
        return False
    own = _columns(linking.statement, linking.target)
    referred = _columns(statement, [*target.key])
    tables = {(each.table.name, each.table.schema) for each in own}
    if len(own) != len(referred) or len(tables) != 1:
        return False
    ((table, schema),) = tables
    pairs = {(one.name, other.name) for one, other in zip(own, referred, strict=True)}
    return any(
        foreign['referred_table'] == froms[0].name
        and foreign['referred_schema'] in (None, froms[0].schema)
        and {*zip(foreign['constrained_columns'], foreign['referred_columns'], strict=True)}
        == pairs
        for foreign in inspect(connection).get_foreign_keys(table, schema)
    )


def _columns(statement: Any, names: Sequence[str]) -> list[Any]:
    """Return the columns of tables that selected columns are; fewer if some are none."""
    selected = {each.key: each for each in getattr(statement, 'selected_columns', ())}
    bases = [getattr(selected.get(name), 'element', selected.get(name)) for name in names]
    return [each for each in bases if isinstance(getattr(each, 'table', None), TableClause)]
