"""Fields whose values no two objects of a model share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..column import Column

__all__ = ('Unique', 'uniques_of')

# Begins the field part of the index sets of several fields. It is not ASCII, as all names of
# fields are, so no index set of one field has such a key.
_MARK = '\u00d7'


class Unique:
    """One item of ``UNIQUE_FIELDS``: a field, or several fields that are unique together.

    :param model: name of the model, for messages
    :param columns: its columns, in the order of the definition
    """

    def __init__(self, model: str, columns: Sequence[Column]) -> None:
        self.columns = tuple(columns)
        self.names = tuple(column.name for column in columns)
        #: whether it has several fields, and so index sets of its own
        self.is_composite = len(self.columns) > 1
        #: the field part of its index sets
        self.key = ''.join(f'{_MARK}{name}' for name in self.names).encode('utf-8')
        shown = f'({", ".join(self.names)})' if self.is_composite else self.names[0]
        self.label = f'{model}.{shown}'

    def is_null(self, stored: Sequence[bytes | None]) -> bool:
        """Return whether a value is null: such rows never collide.

        :param stored: the stored bytes of the columns
        """
        return any(
            column.is_null(value) for column, value in zip(self.columns, stored, strict=True)
        )

    def lists(self, field: bytes) -> bool:
        """Whether index sets belong to it.

        :param field: their names, after the prefix of index sets
        """
        key = self.key if self.is_composite else self.columns[0].key
        return field.startswith(key + b':')

    def values_in(self, row: Mapping[str, Any]) -> list[Any]:
        """Return the items of a row, by name, in the order of the columns."""
        return [row[name] for name in self.names]

    def shown(self, stored: Sequence[bytes | None]) -> str:
        """Return the values of stored bytes, for messages."""
        pairs = zip(self.columns, stored, strict=True)
        values = [
            _link(value) if column.is_link and value else column.decode(value)
            for column, value in pairs
        ]
        return repr(tuple(values) if self.is_composite else values[0])


def _link(stored: bytes) -> Any:
    text = stored.decode('utf-8', 'backslashreplace')
    return int(text) if text.isdigit() else text


def uniques_of(
    model: str, listed: Sequence[Any], columns: Mapping[str, Column]
) -> Iterator[Unique]:
    """Yield the items of a valid ``UNIQUE_FIELDS``."""
    for item in listed:
        names = (item,) if isinstance(item, str) else item
        yield Unique(model, [columns[str.__str__(name)] for name in names])
