"""Orders and cursors, without a server. The rule: what a URL may hold is refused, or exact."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from IndexedRedis import IRField, QueryError, UsageError, irNull
from IndexedRedis._core.queries.ordering.cursor import (
    cursor_of,
    entry_of_cursor,
    entry_of_object,
)
from IndexedRedis._core.queries.ordering.order import (
    Entry,
    columns_of_order,
    in_order,
    keys_of,
    parse_order,
    rest_after,
)
from IndexedRedis.errors import InvalidModelException
from IndexedRedis.fields import IRDecimalField, IRFieldChain, IRPickleField
from unit.build import define, load, load_only

SONG = define(
    *('name', 'genre', IRField('year', valueType=int), IRDecimalField('price')),
    IRField('tags', valueType=list),
    SORTED_FIELDS=['year', 'price'],
)
SCHEMA = SONG._validated()
NULL = b'IRNullType()'


def order(*names, nulls='last'):
    return parse_order(SCHEMA, names, nulls)


def entry(names, pk, **row):
    columns = columns_of_order(names)
    stored = [row.get(column.name, NULL) for column in columns]
    return Entry(pk, keys_of(names, columns, pk, stored))


def pks(entries):
    return [each.pk for each in entries]


def forged(*parts):
    return urlsafe_b64encode(json.dumps(parts).encode()).decode()


# -- orders --------------------------------------------------------------------------------------


def test_an_order_is_parsed():
    assert [str(by) for by in order('year', '-price', 'pk')] == ['year', '-price', 'pk']
    first, second, third = order('year', '-price', 'pk', nulls='first')
    assert (first.descending, second.descending, third.column) == (False, True, None)
    assert first.nulls_first
    assert second.opposite() == second._replace(descending=False, nulls_first=False)
    assert order('year', '-year', 'name', 'year') == order('year', 'name'), 'the first one counts'
    assert order() == ()


@pytest.mark.parametrize(
    ('names', 'error', 'match'),
    [
        (['yaer'], QueryError, r"Song has no field 'yaer' to order by. Did you mean 'year'"),
        (['-yaer'], QueryError, "no field 'yaer'"),
        (['--year'], QueryError, "no field '-year'"),
        ([''], QueryError, "no field ''"),
        (['-'], QueryError, "no field ''"),
        (['year desc'], QueryError, "no field 'year desc'"),
        (['tags'], QueryError, r'Song\.tags: values of a IRField have no order.*sorted\('),
        ([['year']], UsageError, r'orderBy\(\) takes names of fields, and was given \[.year'),
        ([5], UsageError, 'takes names of fields, and was given 5'),
        ([None], UsageError, 'takes names of fields'),
    ],
    ids=repr,
)
def test_what_is_no_order_is_refused_before_anything_is_sent(names, error, match):
    with pytest.raises(error, match=match):
        SONG.objects.orderBy(*names)


@pytest.mark.parametrize('nulls', ['LAST', None, True, ''], ids=repr)
def test_nulls_come_first_or_last(nulls):
    with pytest.raises(UsageError, match="give 'last' or 'first'"):
        SONG.objects.orderBy('year', nulls=nulls)


def test_a_field_called_pk_wins():
    model = define('pk', name='Odd')
    (by,) = parse_order(model._validated(), ['-pk'], 'last')
    assert by.column is not None


def test_equal_values_come_in_the_order_of_the_pks_as_text():
    by = order('year')
    same = [entry(by, pk, year=b'5') for pk in (2, 10, 1)]
    assert pks(in_order(same, by)) == [1, 10, 2]
    by = order('-year')
    assert pks(in_order(same, by)) == [2, 10, 1], 'as ZREVRANGE lists them'
    by = order('-year', 'pk')
    assert pks(in_order([entry(by, pk, year=b'5') for pk in (2, 10, 1)], by)) == [1, 2, 10]


@pytest.mark.parametrize(
    ('names', 'nulls', 'expected'),
    [
        (['year'], 'last', [2, 1, 3]),
        (['year'], 'first', [3, 2, 1]),
        (['-year'], 'last', [1, 2, 3]),
        (['-year'], 'first', [3, 1, 2]),
    ],
)
def test_nulls(names, nulls, expected):
    by = order(*names, nulls=nulls)
    entries = [entry(by, 1, year=b'7'), entry(by, 2, year=b'-7'), entry(by, 3)]
    assert pks(in_order(entries, by)) == expected


def test_what_cannot_be_read_counts_as_null():
    by = order('year')
    assert pks(in_order([entry(by, 1, year=b'x'), entry(by, 2, year=b'5')], by)) == [2, 1]


def test_the_rest_after_a_place_that_nobody_has_any_more():
    by = order('-year', 'name')
    entries = [entry(by, n, year=b'%d' % (n // 2), name=b'x%d' % n) for n in range(1, 8)]
    assert pks(rest_after(entries, entry(by, 4, year=b'2', name=b'x4'), by)) == [5, 2, 3, 1]
    gone = entry(by, 99, year=b'2', name=b'x44')
    assert pks(rest_after(entries, gone, by)) == [5, 2, 3, 1]
    assert pks(rest_after(entries, entry(by, 99, year=b'9', name=b''), by)) == [6, 7, 4, 5, 2, 3, 1]


ROWS = st.fixed_dictionaries(
    {
        'year': st.one_of(st.just(NULL), st.integers().map(lambda n: b'%d' % n)),
        'price': st.one_of(
            st.just(NULL),
            st.decimals(allow_nan=False, allow_infinity=False).map(lambda d: str(d).encode()),
        ),
        'name': st.one_of(st.just(NULL), st.text(max_size=9).map(str.encode), st.binary()),
    }
)
ORDERS = st.tuples(
    st.lists(
        st.sampled_from(['year', '-price', 'price', 'name', '-name', '-pk']),
        min_size=1,
        max_size=3,
        unique_by=lambda name: name.lstrip('-'),
    ),
    st.sampled_from(['first', 'last']),
)
PKS = st.integers(1, 2**53 - 2**32)


# -- cursors -------------------------------------------------------------------------------------


@given(ORDERS, PKS, ROWS)
def test_a_cursor_names_the_place_of_the_row(asked, pk, row):
    by = parse_order(SCHEMA, *asked)
    stored = [row.get(column.name) for column in SCHEMA.all]
    cursor = cursor_of(by, SCHEMA.all, pk, stored)
    columns = columns_of_order(by)
    expected = keys_of(by, columns, pk, [row[column.name] for column in columns])
    assert entry_of_cursor('Song', by, cursor) == Entry(pk, expected)
    assert set(cursor) <= {*'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_='}


@given(
    st.one_of(
        st.text(),
        st.binary().map(lambda data: urlsafe_b64encode(data).decode()),
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.text()),
            lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
        ).map(lambda data: urlsafe_b64encode(json.dumps(data).encode()).decode()),
        st.tuples(
            st.just('year'), st.one_of(st.floats(), st.integers(), st.booleans()), st.text()
        ).map(lambda parts: forged(*parts)),
    )
)
def test_what_is_no_cursor_is_refused(text):
    with pytest.raises(
        UsageError, match=r'Pass page\.next, or an object|Begin with the first page'
    ):
        entry_of_cursor('Song', order('year'), text)


@pytest.mark.parametrize(
    'cursor',
    [
        '',
        'é',
        urlsafe_b64encode(b'[' * 100_000).decode(),
        urlsafe_b64encode(b'["year", Infinity, ["1"]]').decode(),
        urlsafe_b64encode(b'["year", %s, ["1"]]' % (b'9' * 5000)).decode(),
        *(forged('year', pk, ['1']) for pk in (0, -1, 1.5, True, '1', None, 2**53)),
        *(
            forged('year', 1, stored)
            for stored in (None, '1', {'1': 1}, [], ['1', '2'], [1], ['š'])
        ),
        forged('year', 1),
        forged('year', 1, ['1'], 2),
        forged(['year'], 1, ['1']),
    ],
)
def test_forged_cursors_are_refused(cursor):
    with pytest.raises(UsageError, match='is no cursor'):
        entry_of_cursor('Song', order('year'), cursor)


def test_a_value_that_the_field_cannot_hold_is_the_place_of_null():
    """The same as that of a row which stores it."""
    cursor = forged('year', 1, ['x'])
    assert entry_of_cursor('Song', order('year'), cursor) == Entry(1, (None,))


@pytest.mark.parametrize('other', [['-year'], ['year', 'name'], ['price'], ['pk']], ids='-'.join)
def test_a_cursor_of_another_order_is_refused(other):
    by = order(*other)
    cursor = cursor_of(by, SCHEMA.all, 1, [b'1'] * len(SCHEMA.all))
    with pytest.raises(UsageError, match=f'belongs to the order {other[0]}.*has the order year'):
        entry_of_cursor('Song', order('year'), cursor)
    with pytest.raises(UsageError, match='belongs to the order year,'):
        nulls = cursor_of(order('year'), SCHEMA.all, 1, [b'1'] * len(SCHEMA.all))
        entry_of_cursor('Song', order('year', nulls='first'), nulls)


def test_the_place_of_an_object():
    song = load(SONG, 7, year=b'1999', price=b'1.50', name=NULL)
    found = entry_of_object('Song', order('year', 'price', 'name', 'pk'), song)
    assert found == Entry(7, ((1999.0, 1999), (1.5, Decimal('1.50')), None, 7))
    song.year = irNull
    assert entry_of_object('Song', order('year'), song) == Entry(7, (None,))


def test_objects_without_a_place_are_refused():
    with pytest.raises(UsageError, match=r'without a pk has no place\. Save it first'):
        entry_of_object('Song', order('year'), SONG(year=1))
    partial = load_only(SONG, ['name'], 7, name=b'x')
    with pytest.raises(UsageError, match=r"Song\.year was not fetched.*only\(\.\.\., 'year'\)"):
        entry_of_object('Song', order('year'), partial)
    assert entry_of_object('Song', order('pk', 'name'), partial).pk == 7


def test_nothing_from_a_url_is_unpickled():
    chain = IRFieldChain('name', [IRField(), IRPickleField()])
    with pytest.raises(InvalidModelException, match="field 'name' cannot be sorted"):
        define(chain, SORTED_FIELDS=['name'])._validated()
    with pytest.raises(QueryError, match='no order'):
        define(chain).objects.orderBy('name')


# -- queries -------------------------------------------------------------------------------------


def test_a_part_of_a_part():
    query = SONG.objects.orderBy('year')
    assert query[10:20]._window == (10, 10)
    assert query[10:20][5:]._window == (15, 5)
    assert query[10:20][5:50]._window == (15, 5)
    assert query[10:20][15:]._window == (25, 0)
    assert query[10:20].limit(3, 2)._window == (12, 3)
    assert query[5:][2:4]._window == (7, 2)
    assert query[:]._window == (0, None)
    assert query[20:10]._window == (20, 0)
    assert query.limit(0)._window == (0, 0)
    assert query._window == (0, None), 'the query itself stays as it is'


@pytest.mark.parametrize(
    'cut',
    [
        lambda query: query[-1],
        lambda query: query[-3:],
        lambda query: query[:-3],
        lambda query: query['x'],
        lambda query: query['x':],
        lambda query: query['x':5],
        lambda query: query[:2.5],
        lambda query: query[True],
        lambda query: query.limit(-1),
        lambda query: query.limit('5'),
        lambda query: query.limit(None),
        lambda query: query.limit(5, -1),
        lambda query: query.page(0),
        lambda query: query.page(1, size=0),
        lambda query: query.page(size='20'),
        lambda query: query.page(totalUpTo=-1),
        lambda query: query.page(totalUpTo='ALL'),
        lambda query: query.page(totalUpTo=True),
    ],
)
def test_numbers_that_are_none_are_refused(cut):
    with pytest.raises(UsageError, match=r'is no whole number from [01] on'):
        cut(SONG.objects.orderBy('year'))


def test_a_query_takes_no_step():
    with pytest.raises(TypeError, match='a query takes no step'):
        SONG.objects[::2]


def test_a_page_begins_at_a_number_or_behind_a_place():
    with pytest.raises(UsageError, match='takes number= or after=, and not both'):
        SONG.objects.page(2, after='x')
    for wrong in (5, b'x', object(), ['x']):
        with pytest.raises(UsageError, match='is neither a cursor nor an object of Song'):
            SONG.objects.page(after=wrong)
    other = load(define('name', name='Other'), 1, name=b'x')
    with pytest.raises(UsageError, match='neither a cursor nor an object of Song'):
        SONG.objects.page(after=other)


def test_repr_shows_order_and_part():
    query = SONG.objects.orderBy('year', '-price')
    assert repr(query) == "Song.objects.orderBy('year', '-price')"
    assert repr(query[20:40]) == "Song.objects.orderBy('year', '-price')[20:40]"
    assert repr(SONG.objects[5:]) == 'Song.objects[5:]'
    assert repr(SONG.objects.orderBy('pk', nulls='first')) == (
        "Song.objects.orderBy('pk', nulls='first')"
    )
    assert repr(query.only('name').orderBy()) == "Song.objects.only('name')"
