"""Filters and orders of a result. The rule: a null disturbs no question."""

from __future__ import annotations

import datetime

import pytest

from IndexedRedis import IRQueryableList, irNull
from unit.models.a_result import SONGS, A, B, Song, is_result, letters

# ``missing`` is a name that no object has.
unknown_names = pytest.mark.filterwarnings('ignore::IndexedRedis.UnknownNameWarning')

FILTERS = [
    ({}, 'ABC0', ''),
    ({'name': 'Cher'}, 'C', None),
    ({'name__eq': 'Cher'}, 'C', None),
    ({'name__ne': 'Cher'}, 'AB0', None),
    ({'name': irNull}, '0', None),
    ({'name__ne': irNull}, 'ABC', None),
    ({'name': ''}, '', None),
    ({'name__ieq': 'BECK'}, 'B', None),
    ({'name__ine': 'BECK'}, 'AC0', None),
    ({'year__lt': 1985}, 'A', None),
    ({'year__lte': 1985}, 'AC', None),
    ({'year__gt': 1985}, 'B', None),
    ({'year__gte': 1985}, 'BC', None),
    ({'cut__gte': datetime.datetime(2016, 1, 1)}, 'B', None),
    ({'name__lt': 'D'}, 'AC', None),
    ({'name__is': irNull}, '0', None),
    ({'name__isnot': irNull}, 'ABC', None),
    ({'name__isnull': True}, '0', None),
    ({'name__isnull': False}, 'ABC', None),
    ({'missing__isnull': True}, 'ABC0', None),
    ({'missing__gt': 1}, '', None),
    ({'year__in': (1980, 1990)}, 'AB', None),
    ({'year__in': [1980, irNull]}, 'A0', None),
    ({'year__notin': {1980, 1990}}, 'C0', None),
    ({'tags__in': [[1, 2]]}, 'A', None),
    ({'name__contains': 'Cher'}, 'AC', None),
    ({'name__notcontains': 'Cher'}, 'B0', None),
    ({'year__contains': 1}, '', None),
    ({'name__icontains': 'CHER'}, 'AC', None),
    ({'name__noticontains': 'CHER'}, 'B0', None),
    ({'tags__containsAny': [1, 9]}, 'A', None),
    ({'tags__containsAny': [2, 3]}, 'AB', None),
    ({'tags__notcontainsAny': [1, 9]}, 'BC0', None),
    ({'name__containsAny': ['Abba', 'beck']}, 'AB', None),
    ({'name__splitcontains': (', ', 'Cher')}, 'AC', None),
    ({'name__splitnotcontains': (', ', 'Cher')}, 'B0', None),
    ({'name__splitcontainsAny': (', ', ['Abba', 'x'])}, 'A', None),
    ({'name__splitnotcontainsAny': (', ', ['Abba', 'x'])}, 'BC0', None),
    ({'year__customMatch': lambda year: year and year % 20 == 0}, 'A', None),
    ({'year__gte': 1980, 'name__contains': 'Cher'}, 'AC', 'ABC'),
    ({'year__gt': 1985, 'name__isnull': True}, '', 'B0'),
    ({'year__isnull': False, 'tags__containsAny': [3]}, 'B', 'ABC'),
]


@unknown_names
@pytest.mark.parametrize(('given', 'all_hold', 'one_holds'), FILTERS, ids=lambda x: str(x)[:40])
def test_every_operator_of_a_filter(given, all_hold, one_holds):
    one_holds = all_hold if one_holds is None else one_holds
    for found in (SONGS.filter(**given), SONGS.filterAnd(**given)):
        assert letters(found) == all_hold
        assert is_result(found)
    found = SONGS.filterOr(**given)
    assert letters(found) == one_holds
    assert is_result(found)


@pytest.mark.parametrize(
    'given',
    [
        {'name__isnull': 1},
        {'name__isnull': None},
        {'name__splitcontains': 'Cher'},
        {'name__nix': 1},
    ],
    ids=repr,
)
def test_a_question_that_makes_no_sense_is_refused(given):
    for ask in (SONGS.filter, SONGS.filterOr):
        with pytest.raises(ValueError, match=r'isnull|splitcontains|nix'):
            ask(**given)


def test_values_that_do_not_compare_raise():
    for ask in (SONGS.filter, SONGS.filterOr):
        with pytest.raises(TypeError):
            ask(name__lt=5)


def test_absent_objects_disturb_no_question():
    songs = IRQueryableList([None, A, None, B], mdl=Song)
    assert letters(songs.filter(year__gte=1)) == 'AB'
    assert songs.filter(name__isnull=True) == [None, None]
    assert songs.sort_by('year') == [None, None, A, B]


def test_custom_filter():
    found = SONGS.customFilter(lambda song: song.year == 1985)
    assert (letters(found), is_result(found)) == ('C', True)


@unknown_names
@pytest.mark.parametrize('field', ['year', 'name', 'cut', 'missing'])
def test_nulls_sort_first_and_last_in_reverse(field):
    expected = {'year': '0ACB', 'name': '0ACB', 'cut': 'C0AB', 'missing': 'ABC0'}[field]
    assert letters(SONGS.sort_by(field)) == expected
    in_reverse = {'year': 'BCA0', 'name': 'BCA0', 'cut': 'BAC0', 'missing': 'ABC0'}[field]
    assert letters(SONGS.sort_by(field, reverse=True)) == in_reverse
    assert is_result(SONGS.sort_by(field))
