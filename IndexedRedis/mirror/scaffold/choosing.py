"""Choose the field, and the SQL expression to select, for a column of a database or a model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.types import NullType

from . import sql_types
from .sql_types import CHANGING_DRIVERS, DIALECTS, OTHER, SqlType

__all__ = ('Choice', 'choice_of_model_type', 'choice_of_sql_type', 'row_of')

ARRAYS = 'arrays of any other type'
MEMBERS_SHOWN = 6


class Choice(NamedTuple):
    """What a scaffold writes for a column.

    :param field: Python code of the field, with ``{name}`` for its name; empty: none fits
    :param select: the SQL expression with ``{column}``; empty: the column itself
    :param note: a comment; empty: none
    """

    field: str
    select: str = ''
    note: str = ''

    @property
    def can_index(self) -> bool:
        """Whether the field can be in ``INDEXED_FIELDS``."""
        return self.field not in sql_types.NOT_INDEXED


def choice_of_sql_type(kind: Any, dialect: Dialect, declared: str = '') -> Choice:
    """Return the choice for the values that a driver gives for a column.

    :param kind: the type that SQLAlchemy's inspector gives
    :param declared: the name of the type, where the inspector does not know it
    """
    if dialect.name not in DIALECTS:
        return choice_of_model_type(kind)
    kind = _of_domain(kind)
    row = row_of(DIALECTS[dialect.name], kind, dialect, declared)
    select = row.select
    values = {
        'type': declared or _shown(kind, dialect) or 'a column without a type',
        'members': _members(kind),
        'item': _shown(kind.item_type, dialect) if isinstance(kind, sa.ARRAY) else '',
    }
    note = row.note.format(**values)
    if row.as_text and dialect.driver in CHANGING_DRIVERS:
        select = row.as_text
        changes = f'as text, since {dialect.driver} changes values that Python cannot hold'
        note = '; '.join(filter(None, (note, changes)))
    return Choice(_filled(row.field, kind, dialect.name), select, note)


def row_of(rows: Sequence[SqlType], kind: Any, dialect: Dialect, declared: str = '') -> SqlType:
    """Return the row for a type.

    :param declared: as of :func:`choice_of_sql_type`
    """
    by_name = {name: row for row in rows for name in row.names}
    if isinstance(kind, sa.ARRAY):
        return by_name.get(_bare(_shown(kind, dialect)), by_name[ARRAYS])
    if isinstance(kind, sa.Enum):
        return by_name['enum']
    compiled = _shown(kind, dialect)
    if declared and compiled.startswith('numeric'):
        compiled = ''  # SQLite's affinity for whatever it does not know
    for text in (declared, compiled):
        for name in _shorter_and_shorter(text):
            if name in by_name:
                return by_name[name]
    return by_name[OTHER]


def _shorter_and_shorter(text: str) -> list[str]:
    """Return ``tinyint(1) unsigned`` with its parameters, then without, then fewer words of it."""
    words = _bare(text).split()
    return [text, *(' '.join(words[:count]) for count in range(len(words), 0, -1))]


def _bare(text: str) -> str:
    return re.sub(r' ?\([^)]*\)', '', text.lower())


def _shown(kind: Any, dialect: Dialect) -> str:
    """Return a type in SQL, in lower case; empty if SQLAlchemy does not know it."""
    return '' if isinstance(kind, NullType) else kind.compile(dialect).lower()


def _of_domain(kind: Any) -> Any:
    """Return the type that a domain of PostgreSQL narrows."""
    while hasattr(kind, 'data_type'):
        kind = kind.data_type
    return kind


def _members(kind: Any) -> str:
    members = list(getattr(kind, 'enums', getattr(kind, 'values', ())))
    shown = ', '.join(map(repr, members[:MEMBERS_SHOWN]))
    return shown + (', ...' if len(members) > MEMBERS_SHOWN else '')


def _filled(field: str, kind: Any, dialect: str = '') -> str:
    """Fill in the digits after the point of a type, but not the name of the field."""
    scale = getattr(kind, 'scale', None)
    places = '' if scale is None or scale < 0 else f', decimalPlaces={scale}'
    precise = getattr(kind, 'precision', None) != 0
    if dialect in ('mysql', 'mariadb'):
        precise = bool(getattr(kind, 'fsp', None))
    fraction = ', microseconds=True' if precise else ''
    return field.replace('{places}', places).replace('{fraction}', fraction)


# Fields for the Python values that SQLAlchemy gives; the first class that fits counts.
_MODEL_TYPES: tuple[tuple[type, str], ...] = (
    (sa.Boolean, sql_types.BOOL),
    (sa.Integer, sql_types.INT),
    (sa.Float, sql_types.FLOAT),
    (sa.Numeric, sql_types.DECIMAL),
    (sa.DateTime, sql_types.MOMENT),
    (sa.Date, sql_types.DATE),
    (sa.Time, sql_types.TIME),
    (sa.Interval, sql_types.SPAN),
    (sa.LargeBinary, sql_types.BYTES),
    (sa.Uuid, sql_types.UUID),
    (sa.JSON, sql_types.JSON),
    (sa.String, sql_types.TEXT),
)
_JSON_ITEMS = (sa.Boolean, sa.Integer, sa.Float, sa.String)


def choice_of_model_type(kind: Any) -> Choice:
    """Return the choice for the values that SQLAlchemy gives for a column of a model."""
    if isinstance(kind, sa.Enum):
        return Choice(sql_types.TEXT, note=f'one of {_members(kind)}')
    if isinstance(kind, sa.ARRAY) and isinstance(kind.item_type, _JSON_ITEMS):
        return Choice(sql_types.LIST)
    if isinstance(kind, sa.Interval):  # a TypeDecorator that gives timedeltas in every database
        return Choice(sql_types.SPAN)
    if isinstance(kind, sa.Time) and kind.timezone:
        return _unknown(kind)
    if isinstance(kind, sa.DateTime) and kind.timezone:
        return Choice(_filled(sql_types.MOMENT_WITH_ZONE, kind))
    for known, field in _MODEL_TYPES:
        if isinstance(kind, known):
            return Choice(_filled(field, kind))
    return _unknown(kind)


def _unknown(kind: Any) -> Choice:
    return Choice('', note=f'left out: no field is known for {kind!r}')
