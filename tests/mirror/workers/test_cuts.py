"""How a select is cut. The rule: each row is in one part, whatever its key is, and rows of one key
are in the same part."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    insert,
    select,
)

from IndexedRedis import IndexedRedisModel, IRField, UsageError
from IndexedRedis.fields import IRDecimalField, IRForeignLinkField
from IndexedRedis.mirror.database import open_snapshot
from IndexedRedis.mirror.source import Source
from IndexedRedis.mirror.workers.cuts import cut_of, part_of
from mirror.conftest import server

HUGE = 2**63 - 1
KINDS = [server('mariadb'), server('postgresql')]
INTEGERS = {
    'dense': [*range(1, 301)],
    'with gaps and an outlier': [*range(0, 3000, 10), HUGE],
    'negative and huge': [-HUGE, -5, -4, 0, 1, 2, HUGE - 1, HUGE],
    'null and duplicate': [None, None, 7, 7, 7, 7, 7, 8, None],
    'only nulls': [None] * 5,
    'one': [42],
    'equal': [3] * 50,
}
TEXTS = [
    'a',
    'A',
    'a ',
    '',
    None,
    None,
    'é',
    'e',
    '100%',
    ':x',
    "it's",
    '/',
    'a/b',
    *map(str, range(200)),
]


def model(valueType=int, *more):
    body = {'FIELDS': [IRField('k', valueType=valueType), *more], 'INDEXED_FIELDS': ['k']}
    return type(IndexedRedisModel)('Row', (IndexedRedisModel,), {**body, 'KEY_NAME': 'CutRow'})


def source_of(statement, valueType=int, key='k', more=(), **rules):
    return Source(model(valueType, *more), statement, {'n': None}, key, (), **rules)


def table_of(sql, keys, kind, *more):
    """A table with these keys, and a number for each row."""
    rows = Table('rows', MetaData(), Column('n', Integer), Column('k', kind), *more)
    rows.create(sql)
    with sql.begin() as connection:
        values = [{'n': number, 'k': key} for number, key in enumerate(keys)]
        connection.execute(insert(rows), values)
    return rows


def parts_of(sql, source, workers):
    """The rows of each part, and how the select is cut."""
    with open_snapshot(sql) as snapshot:
        cut = cut_of(source, [source], snapshot, workers, 1)
        kind = snapshot.connection.dialect.name
        parts = [
            [tuple(row) for row in snapshot.connection.execute(part_of(source, cut, number, kind))]
            if cut.has_part(number)
            else []
            for number in range(workers)
        ]
    return parts, cut


def check(sql, source, rows, workers, key=lambda row: row[1]):
    parts, cut = parts_of(sql, source, workers)
    assert Counter(row for part in parts for row in part) == Counter(rows)
    assert cut.rows == len(rows)
    places = {(key(row), number) for number, part in enumerate(parts) for row in part}
    assert len(places) == len({key(row) for row in rows})
    return [len(part) for part in parts], cut


@pytest.fixture(params=KINDS)
def sql(request, empty_database):
    return empty_database(request.param)


@pytest.mark.parametrize('workers', [2, 3, 7])
@pytest.mark.parametrize('name', INTEGERS)
def test_integers(sql, name, workers):
    rows = table_of(sql, INTEGERS[name], BigInteger)
    stored = [*enumerate(INTEGERS[name])]
    for statement in (
        select(rows),
        'SELECT n, k FROM rows_'.replace(
            'rows_', '`rows`' if sql.dialect.name != 'postgresql' else 'rows'
        ),
    ):
        sizes, cut = check(sql, source_of(statement), stored, workers)
        assert len(cut.bounds) == workers - 1
        assert cut.apart
    if name in ('dense', 'with gaps and an outlier'):
        assert max(sizes) - min(sizes) <= 1


def test_small_integers_and_those_of_a_column_type_that_is_too_narrow(sql):
    rows = table_of(sql, [-30_000, 5, 30_000], SmallInteger)
    check(sql, source_of(select(rows)), [*enumerate([-30_000, 5, 30_000])], 2)
    with sql.begin() as connection:
        connection.exec_driver_sql('DROP TABLE ' + sql.dialect.identifier_preparer.quote('rows'))
    table_of(sql, INTEGERS['negative and huge'], BigInteger)
    narrow = Table('rows', MetaData(), Column('n', Integer), Column('k', Integer))
    check(sql, source_of(select(narrow)), [*enumerate(INTEGERS['negative and huge'])], 3)


@pytest.mark.parametrize('workers', [2, 5])
def test_texts(sql, workers):
    rows = table_of(sql, TEXTS, String(50))
    sizes, cut = check(sql, source_of(select(rows), str), [*enumerate(TEXTS)], workers)
    assert (cut.bounds, cut.apart) == ((), False)
    assert min(sizes) > len(TEXTS) / workers / 2


def test_decimals_and_bytes(sql):
    keys = [None, *(f'{number}.50' for number in range(-50, 50))]
    rows = table_of(sql, keys, Numeric(40, 2))
    with sql.connect() as connection:
        stored = [tuple(row) for row in connection.execute(select(rows))]
    _, cut = check(sql, source_of(select(rows), str), stored, 3)
    assert cut.numbers == (1,)
    assert not cut.bounds
    with sql.begin() as connection:
        connection.exec_driver_sql('DROP TABLE ' + sql.dialect.identifier_preparer.quote('rows'))
    blobs = [b'', b'\0', b'\xff\xfe', None, *(bytes([number]) for number in range(100))]
    rows = table_of(sql, blobs, LargeBinary(100))
    check(sql, source_of(select(rows), str), [*enumerate(blobs)], 3)


def test_a_key_of_several_columns(sql):
    shop = Column('shop', String(10))
    rows = Table('pair', MetaData(), shop, Column('k', Integer), Column('n', Integer))
    rows.create(sql)
    values = [('x', 1, 1), ('y', 1, 2), (None, 2, 3), ('x', None, 4), ('x', 1, 5), ('y', 9, 6)]
    with sql.begin() as connection:
        connection.execute(
            insert(rows), [dict(zip(('shop', 'k', 'n'), value, strict=True)) for value in values]
        )
    two = source_of(select(rows), key=('shop', 'k'), more=[IRField('shop')])
    _, cut = check(sql, two, values, 3, key=lambda row: row[:2])
    assert cut.numbers == (1,)
    hashed = Source(
        model(str, IRField('shop')),
        select(rows.c.shop, (rows.c.k + 0.5).label('k')),
        {},
        ('shop', 'k'),
        (),
    )
    parts, cut = parts_of(sql, hashed, 3)
    assert cut.numbers == (0, 1)
    assert sum(map(len, parts)) == len(values)


def test_selects_with_an_end_a_sum_and_odd_names(sql):
    rows = table_of(sql, [*range(100)], BigInteger)
    few = select(rows).where(rows.c.k % 2 == 0).order_by(rows.c.k.desc()).limit(10)
    check(sql, source_of(few), [(k, k) for k in range(98, 78, -2)], 3)
    odd = Table(
        'rows', MetaData(), Column('n', Integer), Column('k', BigInteger, key='Odd name%:x')
    )
    named = select(odd.c.n, odd.c['Odd name%:x'].label('Odd name%:x'))
    source = Source(model(), named, {'Odd name%:x': 'k', 'n': None}, 'k', ())
    check(sql, source, [(k, k) for k in range(100)], 3)


def test_a_select_whose_rows_link_to_each_other_is_not_cut(sql):
    rows = table_of(sql, [1, 2, 3], BigInteger, Column('boss', Integer))
    body = {
        'FIELDS': [IRField('k', valueType=int), IRForeignLinkField('boss', 'Boss')],
        'KEY_NAME': 'CutBoss',
    }
    boss = type(IndexedRedisModel)('Boss', (IndexedRedisModel,), body)
    source = Source(boss, select(rows), {'n': None}, 'k', ())
    parts, _ = parts_of(sql, source, 3)
    assert [len(part) for part in parts] == [0, 3, 0]


def test_a_select_that_cannot_be_a_subquery_is_refused(sql):
    with pytest.raises(UsageError, match='reads the select as a subquery'):
        parts_of(sql, source_of('SELECT 1 AS k, 2 AS k'), 2)


def test_a_comment_may_end_a_select(sql):
    parts, _ = parts_of(sql, source_of('SELECT 1 AS k -- the end'), 2)
    assert sum(map(len, parts)) == 1


@pytest.mark.parametrize(
    ('field', 'apart'), [(IRField('k', valueType=int), True), (IRDecimalField('k'), False)]
)
def test_integers_may_become_equal_in_another_field(sql, field, apart):
    rows = table_of(sql, [1, 2, 3], BigInteger)
    body = {'FIELDS': [field], 'KEY_NAME': 'CutField'}
    source = Source(
        type(IndexedRedisModel)('Row', (IndexedRedisModel,), body),
        select(rows),
        {'n': None},
        'k',
        (),
    )
    assert parts_of(sql, source, 2)[1].apart is apart
