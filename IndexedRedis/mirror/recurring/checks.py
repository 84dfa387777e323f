"""What a mirror says about watermarks, checked when it is defined.

The rule: a change that does not move the watermark would never be seen, so selects where that can
be shown are refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import TableClause
from sqlalchemy.sql import Select, visitors

from ...errors import UsageError
from ..follow.joined import why_entangled
from ..source import Source, alike

__all__ = ('Watermarks', 'check_watermarks')


class Watermarks(NamedTuple):
    """The parameters ``changed``, ``deleted`` and ``overlap`` of a mirror."""

    changed: Mapping[Any, str]
    deleted: Mapping[Any, str]
    overlap: Any

    def of_model(self, model: Any) -> tuple[str | None, str | None, Any]:
        """Return the watermark and the tombstone of a model, and the overlap."""
        overlap = self.overlap
        if isinstance(overlap, Mapping):
            overlap = overlap.get(model)
        return self.changed.get(model), self.deleted.get(model), overlap


def check_watermarks(sources: Sequence[Source]) -> None:
    """Check that runs can tell changes by watermarks.

    :raises UsageError: if not, with all reasons
    """
    problems = [problem for source in sources for problem in _problems(source)]
    if not any(source.watermark for source in sources):
        problems.append("mode='changed' needs changed={Model: 'column'}, a column of watermarks.")
    if problems:
        raise UsageError('\n'.join(problems))


def _problems(source: Source) -> Iterator[str]:
    try:
        source.check_diff()
    except UsageError as error:
        yield str(error)
    if source.fold:
        yield f'{source.name}: changed= does not go with foldKeys.'
    if source.watermark is None:
        return
    for name in source.joins:
        yield (
            f'{source.name}.{name}: a change in a join table does not move the watermark of its '
            f'row. Leave {source.name} out of changed=, and its select is read as a whole.'
        )
    statement = source.every_row
    if isinstance(statement, Select):
        yield from _unseen(source, source.watermark, statement)


def _unseen(source: Source, name: str, statement: Select[Any]) -> Iterator[str]:
    """Yield what changes rows of a select, but does not move their watermark."""
    columns = {str(column.key): column for column in statement.selected_columns}
    found = [name] if name in columns else alike(name, columns)
    if not found:
        yield f'{source.name}: changed= names {name!r}, which the select does not have.'
        return
    if reason := why_entangled(statement):
        yield (
            f'{source.name}: a row may change while its watermark stays: {reason}. Leave '
            f'{source.name} out of changed=, and its select is read as a whole.'
        )
    watermark = columns[found[0]]
    moved = {id(each.table) for each in visitors.iterate(watermark) if hasattr(each, 'table')}
    read = {id(each): each for each in visitors.iterate(statement) if isinstance(each, TableClause)}
    unseen = ', '.join(sorted(repr(table.name) for key, table in read.items() if key not in moved))
    if unseen:
        yield (
            f'{source.name}: a change in {unseen} does not move the watermark {name!r}. Select the '
            f'greatest watermark of all tables as {name!r}, or leave {source.name} out of changed=.'
        )
