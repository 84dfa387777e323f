"""Values of SQL, and what is read back from a model that ``scaffold`` wrote.

The rule: each row of ``IndexedRedis/mirror/scaffold/sql_types.py`` has a sample here.
``docs/reference/sql-types.rst`` shows them.
"""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple


class Sample(NamedTuple):
    """A value, and what is read back; ``literal`` is empty for a generated column."""

    kind: str
    literal: str
    value: Any


class Refused(NamedTuple):
    """A value that a field cannot hold; ``instead`` is what to select, for which ``value`` is read
    back."""

    kind: str
    literal: str
    instead: str
    value: Any


ID = uuid.UUID('6ba7b810-9dad-11d1-80b4-00c04fd430c8')
NULL = None
MOMENT = datetime(2024, 2, 29, 10, 20, 30, 123_456)
MINUTE = datetime(2024, 2, 29, 8, 20, tzinfo=UTC)
SECOND = datetime(2024, 2, 29, 10, 20, 30)

# What has to exist before the tables.
SETUP = {'postgresql': ["CREATE TYPE mood AS ENUM ('sad', 'happy')"]}

POSTGRESQL = [
    Sample('smallint', '-1', -1),
    Sample('bigint', '9223372036854775807', 9223372036854775807),
    Sample('numeric(10,2)', '1.5', Decimal('1.50')),
    Sample('numeric', '0.0000001', Decimal('0.0000001')),
    Refused('numeric', "'NaN'", "NULLIF(v, 'NaN')", NULL),
    Sample('money', '1234.5', Decimal('1234.50')),
    Sample('real', '0.1', 0.1),
    Sample('double precision', '0.1', 0.1),
    Sample('boolean', 'true', True),
    Sample('bit(1)', "B'1'", True),
    Sample('bit(4)', "B'0101'", '0101'),
    Sample('bit varying(4)', "B'01'", '01'),
    Sample('text', "'Björk '", 'Björk '),
    Sample('varchar(9)', "'Björk '", 'Björk '),
    Sample('char(5)', "'ab'", 'ab'),
    Sample('mood', "'sad'", 'sad'),
    Sample('uuid', f"'{ID}'", ID),
    Sample('date', "'2024-02-29'", date(2024, 2, 29)),
    Refused('date', "'infinity'", "NULLIF(v, 'infinity')", NULL),
    Refused(
        'date',
        "'10000-01-01'",
        "CASE WHEN v > '9999-12-31' THEN '9999-12-31' ELSE v END",
        date(9999, 12, 31),
    ),
    Sample('time', "'10:20:30.5'", time(10, 20, 30, 500_000)),
    Refused('time', "'24:00'", "NULLIF(v, '24:00')", NULL),
    Sample('time with time zone', "'10:20+02'", '10:20:00+02'),
    Sample('timestamp', "'2024-02-29 10:20:30.123456'", MOMENT),
    Refused('timestamp', "'infinity'", "NULLIF(v, 'infinity')", NULL),
    Sample(
        'timestamp with time zone',
        "'2024-02-29 10:20+02'",
        MINUTE,
    ),
    Refused('timestamp with time zone', "'-infinity'", "NULLIF(v, '-infinity')", NULL),
    Sample('interval', "'1 day 02:00:00.5'", timedelta(days=1, hours=2, milliseconds=500)),
    Sample('interval', "'-1 hour'", timedelta(hours=-1)),
    Sample('interval', "'1 month'", timedelta(days=30)),
    Sample('json', "'123'", 123),
    Sample('jsonb', '\'"123"\'', '123'),
    Sample('jsonb', "'null'", NULL),
    Sample('jsonb', '\'{"a": [null, true, "x"]}\'', {'a': [None, True, 'x']}),
    Sample('integer[]', "'{1,NULL,3}'", [1, None, 3]),
    Sample('text[]', """'{"a b",c}'""", ['a b', 'c']),
    Sample('boolean[]', "'{t,f}'", [True, False]),
    Sample('integer[]', "'{{1,2},{3,4}}'", [[1, 2], [3, 4]]),
    Sample('numeric(5,2)[]', "'{1.5}'", ['1.50']),
    Sample('date[]', "'{2024-02-29}'", ['2024-02-29']),
    Sample('uuid[]', f"'{{{ID}}}'", [str(ID)]),
    Sample('mood[]', "'{sad}'", ['sad']),
    Sample('bytea', r"'\x00ff'", b'\x00\xff'),
    Sample('inet', "'10.0.0.1/8'", '10.0.0.1/8'),
    Sample('inet', "'2001:db8::1'", '2001:db8::1'),
    Sample('cidr', "'10.0.0.0/8'", '10.0.0.0/8'),
    Sample('macaddr', "'08:00:2b:01:02:03'", '08:00:2b:01:02:03'),
    Sample('int4range', "'[1,3)'", '[1,3)'),
    Sample('xml', "'<a/>'", '<a/>'),
    Sample('integer GENERATED ALWAYS AS (id + 1) STORED', '', 2),
]

MYSQL = [
    Sample('int', '-1', -1),
    Sample('bigint unsigned', '18446744073709551615', 18446744073709551615),
    Sample('year', '2024', 2024),
    Sample('year', '0', 0),
    Sample('tinyint(1)', '1', True),
    Sample('boolean', 'false', False),
    Refused('tinyint(1)', '2', 'v <> 0', True),
    Sample('bit(1)', "b'1'", True),
    Sample('bit(10)', "b'101'", 5),
    Sample('decimal(10,2)', '1.5', Decimal('1.50')),
    Sample('float', '0.1', 0.1),
    Sample('double', '0.1', 0.1),
    Sample('varchar(9)', "'Björk '", 'Björk '),
    Sample('char(5)', "'ab'", 'ab'),
    Sample('longtext', "'x'", 'x'),
    Sample("enum('sad','happy')", "'sad'", 'sad'),
    Sample("set('a','b','c')", "'c,a'", 'a,c'),
    Sample('uuid', f"'{ID}'", ID),
    Sample('date', "'2024-02-29'", date(2024, 2, 29)),
    Refused('date', "'0000-00-00'", "NULLIF(v, '0000-00-00')", NULL),
    Refused('date', "'2024-00-01'", 'IF(MONTH(v), v, NULL)', NULL),
    Sample('datetime', "'2024-02-29 10:20:30'", SECOND),
    Sample('datetime(6)', "'2024-02-29 10:20:30.123456'", MOMENT),
    Refused('datetime', "'0000-00-00'", "NULLIF(v, '0000-00-00')", NULL),
    Sample('timestamp', "'2024-02-29 10:20:30'", SECOND),
    Sample('time', "'10:20:30'", timedelta(hours=10, minutes=20, seconds=30)),
    Sample('time', "'-838:59:59'", -timedelta(hours=838, minutes=59, seconds=59)),
    Sample('json', "'123'", 123),
    Sample('json', '\'"123"\'', '123'),
    Sample('json', '\'{"a": [null, true, "x"]}\'', {'a': [None, True, 'x']}),
    Sample('blob', "x'00ff'", b'\x00\xff'),
    Sample('binary(3)', "x'00ff'", b'\x00\xff\x00'),
    Sample('inet4', "'10.0.0.1'", '10.0.0.1'),
    Sample('inet6', "'2001:db8::1'", '2001:db8::1'),
    Sample('point', 'POINT(1, 2)', 'POINT(1 2)'),
    Sample('int AS (id + 1) STORED', '', 2),
]

SQLITE = [
    Sample('INTEGER', '-1', -1),
    Sample('NUMERIC(10, 2)', '1.5', Decimal('1.50')),
    Sample('NUMERIC', '0.1', Decimal('0.1')),
    Refused('NUMERIC', "'abc'", "NULLIF(v, 'abc')", NULL),
    Sample('REAL', '0.1', 0.1),
    Sample('BOOLEAN', '1', True),
    Sample('TEXT', "'Björk '", 'Björk '),
    Sample('VARCHAR(9)', "'Björk '", 'Björk '),
    Sample('CHAR(5)', "'ab'", 'ab'),
    Sample('UUID', f"'{ID}'", ID),
    Sample('DATE', "'2024-02-29'", date(2024, 2, 29)),
    Refused(
        'DATE',
        "'10000-01-01'",
        "CASE WHEN length(v) = 10 THEN v WHEN v > '' THEN '9999-12-31' END",
        date(9999, 12, 31),
    ),
    Sample('TIME', "'10:20:30.5'", time(10, 20, 30, 500_000)),
    Sample('DATETIME', "'2024-02-29 10:20:30.123456'", MOMENT),
    Sample('TIMESTAMP', "'2024-02-29T10:20:30'", SECOND),
    Refused('DATETIME', '1709202030', "datetime(v, 'unixepoch')", SECOND),
    Sample('JSON', "'123'", 123),
    Sample('JSON', '\'"123"\'', '123'),
    Sample('JSON', '\'{"a": [null, true, "x"]}\'', {'a': [None, True, 'x']}),
    Sample('BLOB', "x'00ff'", b'\x00\xff'),
    Sample('STRING', "'x'", 'x'),
    Sample('INTEGER GENERATED ALWAYS AS (id + 1)', '', 2),
]

SAMPLES: dict[str, list[Sample | Refused]] = {
    'postgresql': POSTGRESQL,
    'mariadb': MYSQL,
    'sqlite': SQLITE,
}


def create(table: str, sample: Sample | Refused) -> list[str]:
    """Return SQL that makes a table with the value, and with a row of nulls."""
    made = f'CREATE TABLE {table} (id int PRIMARY KEY, v {sample.kind}'
    if not sample.literal:
        return [f'{made})', f'INSERT INTO {table} (id) VALUES (1)']
    null = ' NULL' if sample.kind == 'timestamp' else ''
    return [f'{made}{null})', f'INSERT INTO {table} VALUES (1, {sample.literal}), (2, NULL)']
