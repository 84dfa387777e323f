"""Which field holds the values of which SQL type, and how to select them.

The rule: a value comes back exact, or the mirror refuses it, with every driver.
``docs/reference/sql-types.rst`` shows these rows.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ('CHANGING_DRIVERS', 'DIALECTS', 'MYSQL', 'OTHER', 'POSTGRESQL', 'SQLITE', 'SqlType')

# Fields as Python code. A type with digits after the point fills {places}, one with fractions of
# seconds {fraction}.
BOOL = 'IRField({name}, valueType=bool)'
BYTES = 'IRBytesField({name})'
DATE = 'IRField({name}, valueType=datetime.date)'
DECIMAL = 'IRDecimalField({name}{places})'
FLOAT = 'IRField({name}, valueType=float)'
INT = 'IRField({name}, valueType=int)'
JSON = 'IRField({name}, valueType=dict)'
LIST = 'IRField({name}, valueType=list)'
MOMENT = 'IRDatetimeField({name}{fraction})'
MOMENT_WITH_ZONE = 'IRDatetimeField({name}, aware=True{fraction})'
SPAN = 'IRField({name}, valueType=datetime.timedelta)'
TEXT = 'IRField({name})'
TIME = 'IRField({name}, valueType=datetime.time)'
UUID = 'IRField({name}, valueType=uuid.UUID)'

# What cannot be in INDEXED_FIELDS.
NOT_INDEXED = ('', FLOAT, JSON, LIST)

# Drivers that give another value for one that Python cannot hold: mysqlconnector None for
# 0000-00-00. (The mirror mends psycopg2, which gives 9999-12-31 for infinity.)
CHANGING_DRIVERS = ('mysqlconnector',)
# The name of the row for all types that no other row has.
OTHER = 'any other type'


class SqlType(NamedTuple):
    """A row: some SQL types, and the field for their values.

    :param names: the SQL types in lower case, without parameters unless these decide
    :param field: Python code of the field; empty: there is none
    :param select: the SQL expression to select; empty: the column
    :param note: what was chosen, where there was a choice
    :param as_text: the expression to select with one of :data:`CHANGING_DRIVERS`
    """

    names: tuple[str, ...]
    field: str
    select: str = ''
    note: str = ''
    as_text: str = ''


_AS_TEXT = 'CAST({column} AS text)'
_AS_CHAR = 'CAST({column} AS CHAR)'

POSTGRESQL = (
    SqlType(('smallint', 'integer', 'bigint', 'oid'), INT),
    SqlType(('numeric',), DECIMAL),
    SqlType(('money',), 'IRDecimalField({name})', 'CAST({column} AS numeric)', 'money as a number'),
    SqlType(('real', 'double precision', 'float'), FLOAT),
    SqlType(('boolean', 'bit(1)'), BOOL),
    SqlType(('bit', 'bit varying'), TEXT, note='bits as text of 0 and 1'),
    SqlType(('text', 'varchar', 'citext', 'name'), TEXT),
    SqlType(('char', 'bpchar'), TEXT, _AS_TEXT, 'without the spaces that fill up char(n)'),
    SqlType(('enum',), TEXT, note='one of {members}'),
    SqlType(('uuid',), UUID),
    SqlType(('date',), DATE),
    SqlType(('time', 'time without time zone'), TIME),
    SqlType(('time with time zone',), TEXT, _AS_TEXT, 'a time with its zone as text'),
    SqlType(('timestamp', 'timestamp without time zone'), MOMENT),
    SqlType(('timestamp with time zone',), MOMENT_WITH_ZONE),
    SqlType(('interval',), SPAN, note='a month counts as 30 days, a year as 365'),
    SqlType(('json', 'jsonb'), JSON, _AS_TEXT),
    SqlType(
        (
            *('smallint[]', 'integer[]', 'bigint[]', 'boolean[]', 'text[]', 'varchar[]'),
            *('real[]', 'double precision[]'),
        ),
        LIST,
    ),
    SqlType(
        ('arrays of any other type',), LIST, 'CAST({column} AS text[])', 'a list of {item} as text'
    ),
    SqlType(('bytea',), BYTES),
    SqlType(('inet', 'cidr', 'macaddr', 'macaddr8'), TEXT),
    SqlType((OTHER,), TEXT, _AS_TEXT, '{type} as text'),
)

MYSQL = (
    SqlType(('tinyint', 'smallint', 'mediumint', 'int', 'integer', 'bigint', 'year'), INT),
    SqlType(
        ('tinyint(1)', 'boolean'),
        BOOL,
        note='tinyint(1) as bool; valueType=int, if it has other numbers',
    ),
    SqlType(('bit(1)',), BOOL, '{column} + 0'),
    SqlType(('bit',), INT, '{column} + 0', 'bits as a number'),
    SqlType(('decimal', 'numeric'), DECIMAL),
    SqlType(('float', 'double', 'real'), FLOAT),
    SqlType(
        ('char', 'varchar', 'nchar', 'nvarchar', 'tinytext', 'text', 'mediumtext', 'longtext'), TEXT
    ),
    SqlType(('enum',), TEXT, note='one of {members}'),
    SqlType(('set',), TEXT, "CONCAT({column}, '')", 'a set as text, with commas: {members}'),
    SqlType(('uuid',), UUID),
    SqlType(('date',), DATE, as_text=_AS_CHAR),
    SqlType(('datetime',), MOMENT, as_text=_AS_CHAR),
    SqlType(('timestamp',), MOMENT, note='in the time zone of the SQL session', as_text=_AS_CHAR),
    SqlType(('time',), SPAN, note='a time as a span, of up to 838 hours'),
    SqlType(('json',), JSON),
    SqlType(('binary', 'varbinary', 'tinyblob', 'blob', 'mediumblob', 'longblob'), BYTES),
    SqlType(('inet4', 'inet6'), TEXT),
    SqlType(
        (
            *('geometry', 'point', 'linestring', 'polygon', 'multipoint', 'multilinestring'),
            *('multipolygon', 'geometrycollection'),
        ),
        TEXT,
        'ST_AsText({column})',
        '{type} as text',
    ),
    SqlType((OTHER,), '', note='left out: no field is known for {type}'),
)

SQLITE = (
    SqlType(('integer', 'int', 'bigint', 'smallint'), INT),
    SqlType(('numeric', 'decimal'), DECIMAL, 'CAST({column} AS TEXT)'),
    SqlType(('real', 'float', 'double', 'double precision'), FLOAT),
    SqlType(('boolean', 'bool'), BOOL),
    SqlType(('text', 'varchar', 'char', 'nchar', 'nvarchar', 'clob'), TEXT),
    SqlType(('uuid',), UUID),
    SqlType(('date',), DATE),
    SqlType(('time',), TIME),
    SqlType(('datetime', 'timestamp'), MOMENT),
    SqlType(('json',), JSON),
    SqlType(('blob',), BYTES),
    SqlType((OTHER,), TEXT, note='{type} as text'),
)

DIALECTS = {'postgresql': POSTGRESQL, 'mysql': MYSQL, 'mariadb': MYSQL, 'sqlite': SQLITE}
