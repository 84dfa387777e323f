"""Warn of what may be slow, or a mistake, in a query. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ...fields.null import irNull
from ..expressions.tree import InSets, literals_of
from ..queries.query import Query
from ..queries.set_algebra import SCRIPT_SETS
from ..text import shown
from .explanation import Explanation

__all__ = ('hints',)

# The share of all objects from which on a set is not selective.
NOT_SELECTIVE = 0.5
# Objects of the smallest model that can be slow.
SLOW_OBJECTS = 1000
# Rows of a result that takes long to convert.
MANY_ROWS = 10_000
HINTS_SHOWN = 20


def hints(query: Query, explanation: Explanation) -> list[str]:
    """Return sentences of warning about a query that was explained."""
    found = list(dict.fromkeys([*_of_size(explanation), *_of_filters(query, explanation)]))
    more = len(found) - HINTS_SHOWN
    return found if more <= 0 else [*found[:HINTS_SHOWN], f'and {more:,} more']


def _of_filters(query: Query, explanation: Explanation) -> Iterator[str]:
    sizes = {each.key: each.size for each in explanation.sets}
    atoms = (atom for each in query.filters for atom, _ in literals_of(each))
    is_plain = query.expressions is not None
    for atom, seen in zip(atoms, explanation.filters, strict=True):
        if not isinstance(atom, InSets):
            continue
        column = atom.column
        if _is_null(atom):
            yield f'{column.name} is compared with null: objects without a value are in that set.'
        if column.field.isIndexHashed:
            yield f'{column.name} has hashIndex: the key ends in the md5 of the value.'
        if len(seen.keys) > 1 and not seen.lookup:
            yield f'{column.name}: the value has {len(seen.keys)} stored forms, each in a set.'
        for key in seen.keys if is_plain else ():
            yield from _of_set(seen.lookup == '', key, sizes[key], explanation.total)


def _of_set(included: bool, key: bytes, size: int, total: int) -> Iterator[str]:
    if not size:
        what = 'nothing can match' if included else 'that filter leaves out nothing'
        yield f'{shown(key)} does not exist: no object has this value, so {what}.'
    elif included and total >= SLOW_OBJECTS and size >= NOT_SELECTIVE * total:
        yield f'{shown(key)} is not selective: it holds {size / total:.0%} of all objects.'


def _of_size(explanation: Explanation) -> Iterator[str]:
    total, rows = explanation.total, explanation.rows
    filters = explanation.filters
    excluding = bool(filters) and all(each.lookup == 'ne' for each in filters)
    if excluding and not explanation.tree and total >= SLOW_OBJECTS:
        yield (
            'Every filter excludes a value, so the query starts from the set of all '
            f'{total:,} pks. Add a filter without __ne to avoid that.'
        )
    if max((len(part.sets) for part in explanation.parts), default=0) > SCRIPT_SETS:
        yield f'More than {SCRIPT_SETS} sets take part, so no script answers in one trip.'
    if rows.estimate >= MANY_ROWS:
        yield f'Many rows: {rows}. Where fewer fields will do, allOnlyFields() is faster.'


def _is_null(atom: InSets) -> bool:
    try:
        return atom.column.index_of(irNull) in atom.values
    except Exception:  # a field of the user's own may refuse null
        return False
