"""Lists of objects. The rule: a part of a result is a result."""

from __future__ import annotations

import copy
import io
import operator
import pickle

import pytest
import QueryableList

from IndexedRedis import IRQueryableList, ObjectGoneError, UsageError, irNull
from unit.build import load
from unit.models.a_result import NULLS, SONGS, A, B, C, Song, is_result, letters

AB, BC = IRQueryableList([A, B]), IRQueryableList([B, C])
OPERATORS = [
    (operator.add, 'ABBC'),
    (operator.sub, 'A'),
    (operator.and_, 'B'),
    (operator.or_, 'ABC'),
    (operator.xor, 'AC'),
]
IN_PLACE = [operator.iadd, operator.isub, operator.iand, operator.ior, operator.ixor]


@pytest.mark.parametrize(('operate', 'expected'), OPERATORS)
@pytest.mark.parametrize('other', [BC, [B, C], (B, C)], ids=['result', 'list', 'tuple'])
def test_operators_give_a_result_and_change_neither_side(operate, expected, other):
    found = operate(AB, other)
    assert (letters(found), is_result(found)) == (expected, True)
    assert (letters(AB), letters(other)) == ('AB', 'BC')


@pytest.mark.parametrize(
    ('operate', 'expected'),
    [(operate, row[1]) for operate, row in zip(IN_PLACE, OPERATORS, strict=True)],
)
def test_operators_in_place_change_this_very_list(operate, expected):
    songs = AB.copy()
    assert operate(songs, BC) is songs
    assert (letters(songs), is_result(songs), letters(BC)) == (expected, True, 'BC')


def test_in_place_intersection_skips_nothing():
    songs = IRQueryableList([A, A, B, B, C])
    songs &= [C]
    assert letters(songs) == 'C'


def test_objects_are_compared_by_value():
    assert letters(AB - [Song(**B.asDict(strKeys=True))]) == 'A'


@pytest.mark.parametrize(
    ('part', 'expected'),
    [
        (lambda songs: songs[1:], 'BC0'),
        (lambda songs: songs[::-2], '0B'),
        (lambda songs: songs[9:], ''),
        (lambda songs: songs[:1] * 2, 'AA'),
        (lambda songs: 2 * songs[:1], 'AA'),
        (lambda songs: songs.all(), 'ABC0'),
        (lambda songs: songs.copy(), 'ABC0'),
        (lambda songs: copy.copy(songs), 'ABC0'),
        (lambda songs: songs.filter(name='nix'), ''),
        (lambda songs: songs.filter(name='nix').sort_by('name')[:3] | [], ''),
    ],
)
def test_parts_and_copies_keep_type_model_and_objects(part, expected):
    found = part(SONGS)
    assert (letters(found), is_result(found), found is SONGS) == (expected, True, False)


def test_items_are_objects():
    assert SONGS[0] is A
    assert SONGS[-1] is NULLS
    assert (SONGS.count(), len(SONGS), B in SONGS) == (4, 4, True)
    assert isinstance(SONGS, QueryableList.QueryableListObjs)
    assert isinstance(SONGS, list)


def test_a_deep_copy_copies_the_objects():
    twin = copy.deepcopy(SONGS)
    assert is_result(twin)
    assert twin == SONGS
    assert all(one is not other for one, other in zip(twin, SONGS, strict=True))


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize('songs', [SONGS, IRQueryableList(mdl=Song)], ids=['full', 'empty'])
def test_pickling_keeps_model_and_objects(songs, protocol):
    twin = pickle.loads(pickle.dumps(songs, protocol))
    assert twin == songs
    assert is_result(twin)


@pytest.mark.parametrize('given', [A, [A], (A,), iter([A])], ids=['one', 'list', 'tuple', 'iter'])
def test_it_is_made_of_one_object_or_several(given):
    songs = IRQueryableList(given)
    assert (letters(songs), songs.mdl) == ('A', Song)


def test_the_model_is_found_out_as_soon_as_there_is_an_object():
    songs = IRQueryableList()
    assert (songs, songs.getModel(), songs.mdl) == ([], None, None)
    songs += [None, A]
    assert songs.getModel() is songs.mdl is Song
    assert IRQueryableList([None, A]).getModel() is Song


@pytest.mark.parametrize(
    ('val', 'mdl'),
    [
        (['text'], None),
        ([5], None),
        ([None, {}], None),
        ([Song], None),
        (None, 5),
        ([A], 'Song'),
        ([A], A),
        (None, dict),
    ],
    ids=repr,
)
def test_what_is_no_object_of_a_model_is_refused(val, mdl):
    with pytest.raises(UsageError):
        IRQueryableList(val, mdl=mdl)


def test_an_empty_list_does_nothing_without_a_model():
    songs = IRQueryableList()
    assert (songs.save(), songs.delete(), songs.reload(), songs.refetch()) == ([], 0, [], [])
    assert letters(songs.filter(name='x').sort_by('name')) == ''


def test_reload_gives_the_exception_of_an_object_that_cannot():
    results = IRQueryableList([A, C]).reload()
    assert [type(each) for each in results] == [ObjectGoneError] * 2


def test_pprint_shows_dicts():
    stream = io.StringIO()
    IRQueryableList([load(Song, 7, name=b'x'), None]).pprint(stream)
    shown = {'_id': 7, 'name': 'x', 'year': irNull, 'cut': irNull, 'tags': irNull}
    assert eval(stream.getvalue(), {'irNull': irNull}) == [shown, None]
