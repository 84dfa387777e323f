"""Values from the binlog. The rule: each is equal to what a select returns, or refused by name."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from IndexedRedis.mirror.follow.mariadb import MariadbSource
from mirror.follow.mariadb.conftest import LONG

# A type of a column, and values as SQL. NULL is tried with each.
TYPES = {
    'TINYINT': ['-128', '127', '0'],
    'TINYINT UNSIGNED': ['0', '255'],
    'BOOLEAN': ['TRUE', 'FALSE'],
    'SMALLINT': ['-32768', '32767'],
    'SMALLINT UNSIGNED': ['65535'],
    'MEDIUMINT': ['-8388608', '8388607'],
    'MEDIUMINT UNSIGNED': ['16777215'],
    'INT': ['-2147483648', '2147483647', '-1'],
    'INT UNSIGNED': ['4294967295'],
    'INT(5) ZEROFILL': ['42'],
    'BIGINT': ['-9223372036854775808', '9223372036854775807'],
    'BIGINT UNSIGNED': ['18446744073709551615'],
    'DOUBLE': ['0.1', '-1e300', '3', '1e-300', '2.2250738585072014e-308'],
    'DECIMAL(10,2)': ['0', '1.5', '-1.5', '99999999.99', '-99999999.99', '-0.01'],
    'DECIMAL(65,30)': ['12345678901234567890123456789012345.123456789012345678901234567891', '-1'],
    'DECIMAL(5,0)': ['12345', '-1'],
    'DECIMAL(3,3)': ['0.123', '-0.999'],
    'DECIMAL(18,9)': ['123456789.987654321', '-100000000.000000001'],
    'YEAR': ['1901', '2155', '0'],
    'DATE': ["'2024-02-29'", "'0001-01-01'", "'9999-12-31'", "'0000-00-00'", "'2024-00-10'"],
    'DATETIME': ["'2024-02-29 23:59:58'", "'9999-12-31 23:59:59'", "'0000-00-00 00:00:00'"],
    'DATETIME(1)': ["'2024-02-29 23:59:58.1'"],
    'DATETIME(3)': ["'2024-02-29 23:59:58.123'", "'2024-02-29 23:59:58'"],
    'DATETIME(6)': ["'2024-02-29 23:59:58.123456'", "'1000-01-01 00:00:00.000001'"],
    'CHAR(10)': ["'abc'", "'ab  '", "''", "'ä€😀'"],
    'CHAR(200)': ["REPEAT('€', 200)"],
    'CHAR(10) CHARACTER SET latin1': ["'äöü €'", "''"],
    'VARCHAR(10)': ["'abc'", "'ab  '", "''", "'ä€😀'"],
    'VARCHAR(300)': ["REPEAT('€', 300)"],
    'VARCHAR(10) COLLATE utf8mb4_bin': ["'aB'"],
    'VARCHAR(10) CHARACTER SET utf8mb3': ["'ä€'"],
    'VARCHAR(10) CHARACTER SET ascii': ["'abc'"],
    'VARCHAR(10) CHARACTER SET latin2': ["'ąęł'"],
    'VARCHAR(10) CHARACTER SET latin5': ["'ğış'"],
    'VARCHAR(10) CHARACTER SET ucs2': ["'ä€'"],
    'VARCHAR(10) CHARACTER SET utf16': ["'ä€😀'"],
    'VARCHAR(10) CHARACTER SET utf16le': ["'ä€😀'"],
    'VARCHAR(10) CHARACTER SET utf32': ["'ä€😀'"],
    'BINARY(16)': ["X'00112233445566778899AABBCCDDEEFF'", "X'0011'", "X'00'"],
    'VARBINARY(16)': ["X'0011'", "X'001100'", "''"],
    'TINYTEXT': ["'ä'"],
    'TEXT': ["'ä'", "REPEAT('x', 300)", "''"],
    'MEDIUMTEXT': ["REPEAT('x', 70000)"],
    'LONGTEXT': ["'ä'"],
    'BLOB': ["X'00FF'"],
    'JSON': ["""'{"a": [1, 2]}'"""],
    'UUID': [
        'UUID()',
        "'12345678-1234-4234-8234-123456789abc'",
        "'0188e8a7-0000-7000-8000-000000000000'",
        "'00000000-0000-0000-0000-000000000000'",
        "'ffffffff-ffff-ffff-ffff-ffffffffffff'",
    ],
    "ENUM('a','it''s','x,y','€')": ["'a'", "'it''s'", "'x,y'", "'€'", "''"],
    'INT AS (id * 2) VIRTUAL': ['DEFAULT'],
    'INT AS (id * 3) PERSISTENT': ['DEFAULT'],
}  # fmt: skip
SINGLE_BYTES = ['latin1', 'latin2', 'latin5', 'ascii']


@pytest.mark.parametrize('kind', TYPES)
def test_a_value_is_equal_to_that_of_a_select(engine, run, opened, kind):
    run(f'CREATE TABLE sample (id INT PRIMARY KEY, value {kind})')
    log = opened({'shop.sample': ('id', 'value')})
    null = [] if ' AS ' in kind else ['NULL']
    values = ', '.join(f'({n}, {value})' for n, value in enumerate([*TYPES[kind], *null]))
    run("SET sql_mode = ''", f'INSERT INTO sample VALUES {values}')
    with engine.connect() as connection:
        rows = {tuple(row) for row in connection.exec_driver_sql('SELECT id, value FROM sample')}
    (commit,) = log.read(LONG)
    assert commit.whole == set()
    assert commit.touched['shop.sample'] == rows
    assert {type(value) for _, value in rows} == {
        type(value) for _, value in commit.touched['shop.sample']
    }
    with engine.connect() as connection:
        plan = MariadbSource().plan(connection, 'x', {'shop.sample': ('id', 'value')})
    assert plan.problems == []


@pytest.mark.parametrize('charset', SINGLE_BYTES)
def test_each_character_of_a_set_of_256(engine, run, opened, charset):
    run(f'CREATE TABLE sample (id INT PRIMARY KEY, value VARCHAR(9) CHARACTER SET {charset})')
    log = opened({'shop.sample': ('id', 'value')})
    numbers = range(128 if charset == 'ascii' else 256)
    values = ', '.join(f"({n}, X'{n:02x}')" for n in numbers)
    run(f'INSERT INTO sample VALUES {values}')
    with engine.connect() as connection:
        rows = {tuple(row) for row in connection.exec_driver_sql('SELECT id, value FROM sample')}
    (commit,) = log.read(LONG)
    assert commit.touched['shop.sample'] == rows


REFUSED = [
    *('FLOAT', 'BIT(3)', 'TIME', 'TIMESTAMP', 'TIMESTAMP(3)', "SET('a','b')", 'INET6', 'INET4'),
    *('POINT', 'VARCHAR(9) CHARACTER SET gbk', 'VARCHAR(200) COMPRESSED', 'TEXT COMPRESSED'),
]
SAMPLES = {'POINT': 'POINT(1, 2)', 'INET6': "'::1'", 'INET4': "'1.2.3.4'", 'BIT(3)': "b'101'",
           'FLOAT': '0.1', "SET('a','b')": "'a,b'", 'TIME': "'10:11:12'"}  # fmt: skip


@pytest.mark.parametrize('kind', REFUSED)
def test_a_type_that_is_no_key_may_stand_beside_one(engine, run, opened, kind):
    run(f'CREATE TABLE sample (value {kind} DEFAULT NULL, id INT PRIMARY KEY, name VARCHAR(9))')
    log = opened({'shop.sample': ('id', 'name')})
    value = SAMPLES.get(kind, 'NOW()' if 'TIMESTAMP' in kind else "REPEAT('x', 200)")
    value = "'x'" if 'gbk' in kind else value
    run(f"INSERT INTO sample VALUES ({value}, 1, 'a'), (NULL, 2, NULL), ({value}, 3, 'b')")
    (commit,) = log.read(LONG)
    assert commit.touched == {'shop.sample': {(1, 'a'), (2, None), (3, 'b')}}
    with engine.connect() as connection:
        plan = MariadbSource().plan(connection, 'x', {'shop.sample': ('value',)})
    (problem,) = plan.problems
    assert problem.startswith('shop.sample.value: a value of the type ')
    # Where it is wanted in spite of that, the table counts as changed.
    late = opened({'shop.sample': ('value',)})
    run('DELETE FROM sample WHERE id = 1')
    (commit,) = late.read(LONG)
    assert (commit.touched, commit.whole) == ({}, {'shop.sample'})


def test_text_that_has_no_characters_counts_as_a_changed_table(run, opened):
    run('CREATE TABLE sample (id VARCHAR(9) CHARACTER SET latin2 PRIMARY KEY)')
    log = opened({'shop.sample': ('id',)})
    run("INSERT INTO sample VALUES ('a')")
    (commit,) = log.read(LONG)
    assert commit.touched == {'shop.sample': {('a',)}}


def test_a_table_with_many_columns(run, opened):
    columns = ', '.join(f'c{n} INT' for n in range(300))
    run(f'CREATE TABLE wide (id INT PRIMARY KEY, {columns})')
    log = opened({'shop.wide': ('c299', 'id', 'c0', 'c7', 'c8')})
    run('INSERT INTO wide (id, c8, c299) VALUES (1, 8, 299)')
    (commit,) = log.read(LONG)
    assert commit.touched == {'shop.wide': {(299, 1, None, None, 8)}}


def test_a_table_that_keeps_its_history(engine, run, opened):
    run('CREATE TABLE kept (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING')
    log = opened({'shop.kept': ('id', 'v')})
    run('INSERT INTO kept VALUES (1, 1), (2, 2)')
    run('UPDATE kept SET v = 3 WHERE id = 1')
    run('DELETE FROM kept WHERE id = 2')
    commits = []
    while len(commits) < 3:
        commits += log.read(LONG)
    touched = [commit.touched['shop.kept'] for commit in commits]
    assert touched[0] == {(1, 1), (2, 2)}
    assert {(1, 1), (1, 3)} <= touched[1]
    assert touched[2] == {(2, 2)}
    with engine.connect() as connection:
        assert connection.execute(text('SELECT id, v FROM kept')).all() == [(1, 3)]


def test_names_that_need_quotes(engine, run, opened):
    run('CREATE TABLE `odd name` (`the key` INT PRIMARY KEY, `ä` INT)')
    source = MariadbSource()
    with engine.connect() as connection:
        assert source.name_of(connection, 'odd name', None) == 'shop.odd name'
    log = opened({'shop.odd name': ('THE KEY', 'ä')})
    run('INSERT INTO `odd name` VALUES (1, 2)')
    (commit,) = log.read(LONG)
    assert commit.touched == {'shop.odd name': {(1, 2)}}
