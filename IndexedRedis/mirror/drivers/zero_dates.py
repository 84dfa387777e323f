"""Dates with zeros, which Python cannot hold, where a driver returned None for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..source import Source, alike

if TYPE_CHECKING:
    from ..database import Snapshot

__all__ = ('zero_date_problems',)


def zero_date_problems(
    snapshot: Snapshot, source: Source, columns: Sequence[str], null_is_meant: bool
) -> list[str]:
    """Return what is wrong with the select that was read last, a sentence for each column.

    :param columns: the names of its columns
    :param null_is_meant: whether 0000-00-00 means NULL
    """
    unused, problems = {*_left_out(source, columns)}, []
    for number in snapshot.columns_with_none():
        name = columns[number]
        if name in unused:
            continue
        count = snapshot.zero_dates(source.statement, columns, number, null_is_meant)
        if count != 0:
            known = 'unknown, since the select cannot be a subquery' if count is None else count
            rule = '' if null_is_meant else " zeroDates='null' makes null of 0000-00-00;"
            problems.append(
                f'{source.name}: dates with zeros in the column {name!r}: {known}. MySQL Connector '
                f'returns None for them.{rule} CAST({name} AS CHAR) in the select names the rows.'
            )
    return problems


def _left_out(source: Source, columns: Sequence[str]) -> Iterator[str]:
    """Yield the columns that feed no field since they are mapped to None."""
    for mapped, field in source.columns.items():
        if field is None:
            yield from (mapped, *alike(mapped, columns))
