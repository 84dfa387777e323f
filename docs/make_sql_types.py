"""Write ``reference/sql-types.rst``: ``python docs/make_sql_types.py``.

The rows are those that ``indexedredis scaffold`` chooses by. The samples are those of the tests,
which read each one back from real databases.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from sqlalchemy.types import NullType

HERE = Path(__file__).parent
PAGE = HERE / 'reference' / 'sql-types.rst'

sys.path[:0] = [str(HERE.parent), str(HERE.parent / 'tests')]
from mirror.sql_samples import SAMPLES, Refused, Sample  # noqa: E402

from IndexedRedis.mirror.scaffold.choosing import ARRAYS, row_of  # noqa: E402
from IndexedRedis.mirror.scaffold.sql_types import DIALECTS, OTHER, SqlType  # noqa: E402

HEAD = """Which field for which SQL type
==============================

``indexedredis scaffold`` chooses fields by these tables (:doc:`cli`). A test mirrors each value
that they show, from real databases, and reads it back: from PostgreSQL with psycopg 3 and psycopg2,
from MariaDB with PyMySQL and MySQL Connector, and from SQLite with ``sqlite3``. :doc:`types`
describes the fields.

A value comes back exact, or the mirror refuses it and the old data stays. Where a value is refused,
the tables say what to select instead. NULL is null for every type. In the tables ``v`` is the
column. A type stands before a value where a row is for several types.

.. docs/make_sql_types.py writes this page.

"""
DRIVER_NOTES = {
    'postgresql': """Dates and times that Python cannot hold, such as infinity, years after 9999 and
24:00, reach the field as text, and the field refuses them. The message names row, field and value.
Without the mirror, psycopg 3 raises, and psycopg2 returns 9999-12-31 or 00:00.

JSON is selected as text. The drivers would decode it, and then the JSON text ``"123"`` looks like
the text of the number 123.
""",
    'mariadb': """``Mirror(..., zeroDates='null')`` makes null of ``0000-00-00`` in a field of dates
or datetimes. The default, ``'refuse'``, refuses the row. A date whose month or day is zero is
always refused. MySQL Connector returns None for all of these. Where it returned None in a column of
dates, the mirror runs a second select that counts dates with zeros, and refuses the run if there
are any.
``CAST(v AS CHAR)`` in the select, as ``scaffold`` writes it for this driver, refuses single rows.

The types were tested on MariaDB only. MySQL 8 has a JSON type of its own, where MariaDB has
``longtext``: no test has read that type.

The server sends six digits of a ``float``. ``CAST(v AS DOUBLE)`` gives all of them. MariaDB stores
JSON as ``longtext`` with a check, by which ``scaffold`` recognises it.
""",
    'sqlite': """SQLite has no types for dates, times, JSON and UUIDs. The table shows the text that
SQLAlchemy and SQLite's own functions write. Any column can hold any value; a value that its field
cannot hold is refused. A ``NUMERIC`` is selected as text, because SQLite stores a float, of which
15 digits are exact.
""",
}
TITLES = {'postgresql': 'PostgreSQL', 'mariadb': 'MariaDB and MySQL', 'sqlite': 'SQLite'}
TABLE = """.. list-table::
   :header-rows: 1
   :widths: 20 30 50

   * - SQL type
     - field
     - value in SQL → in the model
"""
WORDS_OF_OTHER = {OTHER, ARRAYS}


def rows_of(dialect: str) -> dict[SqlType, list[Sample | Refused]]:
    """Return the samples of each row of a dialect."""
    rows = DIALECTS[dialect]
    found: dict[SqlType, list[Sample | Refused]] = {row: [] for row in rows}
    by_name = {name: row for row in rows for name in row.names}
    for sample in SAMPLES[dialect]:
        kind = sample.kind.lower()
        if kind == 'mood':
            row = by_name['enum']
        elif kind.endswith('[]'):
            row = by_name.get(re.sub(r'\(.*\)', '', kind), by_name[ARRAYS])
        else:
            row = row_of(rows, NullType(), None, kind)
        found[row].append(sample)
    return found


def without_samples() -> list[SqlType]:
    """Return the rows that no sample tests. What has no field has none."""
    rows = [row for dialect in SAMPLES for row in rows_of(dialect).items()]
    return [row for row, samples in rows if row.field and not samples]


def names(row: SqlType) -> str:
    """Return the SQL types of a row."""
    return ', '.join(name if name in WORDS_OF_OTHER else f'``{name}``' for name in row.names)


def field(row: SqlType) -> str:
    """Return the field of a row, and what to select."""
    if not row.field:
        return 'none: ``scaffold`` leaves the column out'
    code = row.field.format(name='', places=', decimalPlaces=…', fraction=', microseconds=True')
    code = code.replace('(, ', '(')  # an attribute of a model has no name of its own
    select = f', with ``{row.select.format(column="v")}`` in the select' if row.select else ''
    note = row.note.format(type='the value', members='its members', item='the items')
    return f'``{code}``{select}' + (f' ({note})' if note else '')


def shown(row: SqlType, sample: Sample | Refused) -> str:
    """Return a sample: the value in SQL, and what is read back."""
    value = 'null' if sample.value is None else f'``{_code(sample.value)}``'
    if not sample.literal:
        return f'``{sample.kind}`` (a generated column) → {value}'
    kind = f'{sample.kind} ' if len(row.names) > 1 or OTHER in row.names else ''
    literal = f'``{kind}{sample.literal}``'
    if isinstance(sample, Refused):
        return f'{literal} is refused; ``{sample.instead}`` → {value}'
    return f'{literal} → {value}'


def _code(value: object) -> str:
    return re.sub(r'datetime\.(?=\w+\()|datetime\.(?=timezone)', '', repr(value))


def page() -> str:
    """Return the page."""
    parts = [HEAD]
    for dialect, title in TITLES.items():
        parts.append(f'\n{title}\n{"-" * len(title)}\n\n{DRIVER_NOTES[dialect]}\n{TABLE}')
        for row, samples in rows_of(dialect).items():
            lines = [f'| {shown(row, sample)}' for sample in samples]
            cells = [names(row), field(row), '\n       '.join(lines)]
            parts.append('   * - {}\n     - {}\n     - {}\n'.format(*cells).replace('- \n', '-\n'))
    return ''.join(parts)


if __name__ == '__main__':
    PAGE.write_text(page(), 'utf-8')
