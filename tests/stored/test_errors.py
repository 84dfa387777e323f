"""Bad input. The rule: each mistake raises one error of its own type that names the place and says
what to do; nothing was written, and the object is as it was."""

from __future__ import annotations

import contextlib
import datetime

import pytest
from support.keyspace import dump

from IndexedRedis import (
    FieldTypeError,
    FieldValueError,
    IndexedRedisError,
    IRField,
    IRQueryableList,
    ObjectGoneError,
    QueryError,
    UsageError,
    irNull,
)

AWARE = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


@pytest.fixture
def song(make_model):
    return make_model(
        [
            IRField('title'),
            IRField('artist'),
            IRField('year', valueType=int),
            IRField('ratio', valueType=float),
            IRField('good', valueType=bool),
            IRField('added', valueType=datetime.datetime),
            IRField('tags', valueType=list),
            IRField('blob', valueType=bytes),
        ],
        indexed=['artist', 'year'],
    )


@contextlib.contextmanager
def nothing_written(raw):
    """The database holds the same before and after."""
    before = dump(raw)
    yield
    assert dump(raw) == before


VALUES = [
    ('year', 'five', FieldValueError, "'five'"),
    ('year', [1], FieldTypeError, r'\[1\]'),
    ('ratio', 'x', FieldValueError, "'x'"),
    ('good', 'maybe', FieldValueError, 'maybe.*true, false, 1 or 0'),
    ('added', 'yesterday', FieldValueError, 'yesterday.*YYYY-MM-DD HH:MM:SS'),
    ('added', AWARE, FieldValueError, 'astimezone'),
    ('added', {}, FieldTypeError, 'dict'),
    ('tags', '[1', FieldValueError, r"'\[1'"),
    ('tags', {1, 2}, FieldTypeError, 'set'),
    ('tags', {1: 'a'}, FieldTypeError, 'keys of JSON are text, not int as 1 is: use text, a list'),
    ('tags', {1: 'a', '1': 'b'}, FieldTypeError, 'not int as 1 is'),
    ('tags', {True: 1}, FieldTypeError, 'not bool as True is'),
    ('tags', {None: 1}, FieldTypeError, 'not NoneType as None is'),
    ('tags', {1.5: 1}, FieldTypeError, 'not float as 1.5 is'),
    ('tags', {b'x': 1}, FieldTypeError, "not bytes as b'x' is"),
    ('tags', '[{"a": 1, "b": 2, "a": 3}]', FieldValueError, "key 'a' occurs twice"),
    ('tags', '[0.1234567890123456789]', FieldValueError, 'rounded to 0.12345678901234568:'),
    ('tags', '[1e400]', FieldValueError, 'the number 1e400 would be rounded to inf'),
    ('blob', 5, FieldTypeError, 'int'),
    ('title', 'IRNullType()', FieldValueError, 'null'),
    ('title', b'\xff', FieldValueError, r"b'\\xff'"),
]


@pytest.mark.parametrize('case', VALUES, ids=repr)
def test_a_value_that_a_field_cannot_hold(song, raw, case):
    name, value, error, told = case
    place = rf'(?s){song.__name__}\.{name}: .*{told}'
    obj = song(title='as it was')
    obj.save()
    before = getattr(obj, name)
    with nothing_written(raw):
        with pytest.raises(error, match=place) as caught:
            song(**{name: value})
        assert isinstance(caught.value, (ValueError, IndexedRedisError))
        with pytest.raises(error, match=place):
            setattr(obj, name, value)
    assert getattr(obj, name) is before
    assert not obj.hasUnsavedChanges()


INSIDE = [
    ({1, 2}, 'set'),
    ({1: 'a'}, 'not int as 1 is'),
    ({'a': ({True: 1},)}, 'not bool as True is'),
]


@pytest.mark.parametrize(('wrong', 'told'), INSIDE)
def test_a_value_that_became_wrong_in_place(song, raw, wrong, told):
    obj = song(tags=[1])
    obj.save()
    obj.tags.append(wrong)
    with (
        nothing_written(raw),
        pytest.raises(FieldTypeError, match=rf'{song.__name__}\.tags: .*{told}'),
    ):
        obj.save()
    obj.tags.pop()
    obj.tags.append(2)
    obj.save()
    assert song.objects.get(1).tags == [1, 2]


QUERIES = [
    ({'artst': 'x'}, r"no field 'artst'.*Did you mean 'artist'\?"),
    ({'artst__ne': 'x'}, r"no field 'artst'.*Did you mean 'artist'\?"),
    ({'nonsense': 'x'}, "no field 'nonsense'"),
    ({'title': 'x'}, r'\.title is not indexed.*artist, year.*INDEXED_FIELDS.*reindex'),
    ({'title__ne': 'x'}, r'\.title is not indexed'),
    ({'year__like': 5}, r"'year__like'.*year__ne.*\.all\(\)\.filter"),
    ({'_id': 5}, "no field '_id'"),
]


@pytest.mark.parametrize(('filters', 'told'), QUERIES, ids=repr)
def test_a_filter_that_cannot_be_answered(song, raw, filters, told):
    with nothing_written(raw):
        with pytest.raises(QueryError, match=rf'(?s){song.__name__}.*{told}') as caught:
            song.objects.filter(**filters)
        assert isinstance(caught.value, ValueError)
        assert f'{song.__name__}' in str(caught.value)


def test_a_filter_value_that_the_field_cannot_hold(song):
    with pytest.raises(FieldValueError, match=rf"{song.__name__}\.year: .*'five'"):
        song.objects.filter(year='five')


SEVERAL = [
    ('artist', ['Abba', 'Beck']),
    ('artist__ne', ('Abba', 'Beck')),
    ('year', [1980, 1990]),
    ('year', {1980}),
    ('year__ne', frozenset()),
]


@pytest.mark.parametrize(('name', 'value'), SEVERAL, ids=repr)
def test_a_filter_by_a_list_on_a_field_that_holds_none(song, name, value):
    field = name.removesuffix('__ne')
    told = rf'{song.__name__}\.{field}: cannot hold .*{field}__in=\[\.\.\.\] finds'
    fetched = IRQueryableList([song(artist='Abba')])
    for query in (song.objects.filter, fetched.filter, fetched.filterOr):
        with pytest.raises(FieldTypeError, match=told):
            query(**{name: value})
    assert len(fetched.filter(tags=[], tags__ne=irNull, artist__in=['Abba'])) == 0


def test_an_object_that_is_not_stored_cannot_be_reloaded(song, raw):
    obj = song(title='x')
    with nothing_written(raw), pytest.raises(ObjectGoneError, match='never saved') as caught:
        obj.reload()
    assert isinstance(caught.value, KeyError)
    assert str(caught.value).startswith(song.__name__)


FORCED = [
    (5, 2, 'names 1 pks for 2 objects'),
    ([1, 2], 1, 'names 2 pks for 1 objects'),
    (-1, 1, '-1'),
    ('x', 1, "'x'"),
    ([3, 3], 2, 'pk 3'),
    (2**63, 1, str(2**63)),
    (1.5, 1, '1.5'),
]


@pytest.mark.parametrize(('forced', 'count', 'told'), FORCED, ids=repr)
def test_a_forceID_that_cannot_be_used(song, raw, forced, count, told):
    objs = [song(title='x') for _ in range(count)]
    with nothing_written(raw), pytest.raises(UsageError, match=told):
        song.saver.save(objs, forceID=forced)
    assert {obj.getPk() for obj in objs} == {None}
