"""What the verbs of a query send. The rule: as in ``test_commands.py``, the expected commands are
written out; one list is one round trip."""

from __future__ import annotations

import pytest

from IndexedRedis import MultipleObjectsError
from IndexedRedis.managers.arguments import NOT_GIVEN
from unit.commands.test_commands import (
    DATA,
    GENRE_JAZZ,
    GENRE_POP,
    GENRE_ROCK,
    INCARNATIONS,
    KEYS,
    LOCK,
    NAMES,
    NEXT,
    RECORD,
    TOUCHED,
    YEAR_1999,
    song,
    trips,
)

__all__ = ('song',)

GENRE_IS_ROCK = (NOT_GIVEN, False, {'genre': 'rock'})
FIND_ROCK = ('EVALSHA', 'find', 2, KEYS, GENRE_ROCK, 2, 200, 100, *NAMES)
WRITES = (KEYS, NEXT, LOCK, TOUCHED, RECORD, INCARNATIONS)


@pytest.fixture
def rock(song):
    return song.objects.filter(genre='rock')


def test_values_read_only_their_fields_and_those_that_tell_whether_a_row_matches(rock):
    row = [b'1999', b'Hells Bells', b'rock']
    found, sent = trips(rock._values(['year', 'pk'], 'dict'), [[[b'7'], [row], None]])
    assert sent == [[(*FIND_ROCK, b'year', b'name', b'genre')]]
    assert found == [{'year': 1999, 'pk': 7}]


def test_pks_alone_take_no_row(rock):
    found, sent = trips(rock._values(['pk'], 'single'), [[b'9', b'7']])
    assert sent == [[('SINTER', KEYS, GENRE_ROCK)]]
    assert found == [9, 7]


def test_only_reads_its_fields(rock):
    (obj,), sent = trips(
        rock.only('year')._all(False), [[[b'7'], [[b'1999', b'x', b'rock']], None]]
    )
    assert sent == [[(*FIND_ROCK, b'year', b'name', b'genre')]]
    assert obj.asDict(strKeys=True) == {'name': None, 'genre': None, 'year': 1999}
    obj, sent = trips(
        rock.only('year')._pick('first', False), [[b'7', [b'1999', b'x', b'rock'], None]]
    )
    assert sent == [
        [
            (
                *('EVALSHA', 'pick', 2, KEYS, GENRE_ROCK, 2, 'first', 5000, 0, DATA),
                INCARNATIONS,
                *(b'year', b'name', b'genre'),
            )
        ]
    ]
    assert obj.asDict(strKeys=True) == {'name': None, 'genre': None, 'year': 1999}


def test_the_one_object(song, rock):
    rows = [[b'a', b'rock', b'1999'], [b'b', b'rock', b'1999']]
    command = [(*FIND_ROCK, b'name', b'genre', b'year')]
    found, sent = trips(song.objects._get_one(*GENRE_IS_ROCK), [[[b'7'], rows[:1], None]])
    assert sent == [command]
    assert found._id == 7
    assert trips(song.objects._get_one(*GENRE_IS_ROCK), [[[], [], None]]) == (None, [command])
    with pytest.raises(MultipleObjectsError, match='pks 7 and 8'):
        trips(song.objects._get_one(*GENRE_IS_ROCK), [[[b'7', b'8'], rows, None]])


@pytest.mark.parametrize(
    ('filters', 'command', 'reply'),
    [
        ({}, ('SCARD', KEYS), 3),
        ({'genre': 'rock'}, ('EVALSHA', 'any', 2, KEYS, GENRE_ROCK, 2, 5000), 1),
        (
            {'genre': 'rock', 'year__ne': 1999},
            ('EVALSHA', 'any', 3, KEYS, GENRE_ROCK, YEAR_1999, 2, 5000),
            1,
        ),
    ],
)
def test_whether_an_object_matches(song, filters, command, reply):
    exists = song.objects.filter(**filters)._exists
    from IndexedRedis.managers.arguments import NOT_GIVEN

    assert trips(exists(NOT_GIVEN), [reply]) == (True, [[command]])
    assert trips(exists(NOT_GIVEN), [0]) == (False, [[command]])


def test_sets_too_large_for_a_script_to_tell(rock):
    from IndexedRedis.managers.arguments import NOT_GIVEN

    found, sent = trips(rock._exists(NOT_GIVEN), [None], [[b'7']])
    assert found is True
    assert sent[1] == [('SINTER', KEYS, GENRE_ROCK)]


def test_few_rows_are_counted_one_by_one(song):
    counts, sent = trips(
        song.objects._count_by('genre'),
        [3, 3],
        [[[b'1', b'2', b'3'], [[b'pop', b'a'], [b'rock', b'b'], [b'rock', b'c']], None]],
    )
    assert sent == [
        [('SCARD', KEYS), ('SCARD', KEYS)],
        [('EVALSHA', 'find', 1, KEYS, 1, 200, 100, *NAMES, b'genre', b'name')],
    ]
    assert counts == {'rock': 2, 'pop': 1}
    assert [*counts] == ['rock', 'pop']


def test_many_objects_are_counted_by_the_sizes_of_index_sets(song):
    counts, sent = trips(
        song.objects._count_by('genre'),
        [1000, 1000],
        [[b'5', b'6', b'7']],
        [[b'rock'], [b'pop'], [b'rock']],
        *([0, 600, 0], [0, 300, 0]),  # 100 are missing
        [[b'8', b'9']],
        [[b'jazz'], [b'pop']],
        [0, 100, 0],
    )

    def sized(key):
        return [('EXISTS', RECORD), ('SCARD', key), ('EXISTS', RECORD)]

    assert sent == [
        [('SCARD', KEYS), ('SCARD', KEYS)],
        [('SRANDMEMBER', KEYS, 100)],
        [('HMGET', DATA + pk, b'genre') for pk in (b'5', b'6', b'7')],
        sized(GENRE_ROCK),
        sized(GENRE_POP),
        [('SRANDMEMBER', KEYS, 400)],
        [('HMGET', DATA + pk, b'genre') for pk in (b'8', b'9')],
        sized(GENRE_JAZZ),
    ]
    assert counts == {'rock': 600, 'pop': 300, 'jazz': 100}


def test_a_walk_reads_pks_first_and_then_chunks(rock):
    reader = rock.iterator(2)._reader
    pks, sent = trips(reader.pks(), [[b'7', b'9', b'8']])
    assert sent == [[('SINTER', KEYS, GENRE_ROCK)]]
    assert pks == [7, 9]
    objs, sent = trips(reader.read(pks), [[b'a', b'rock', b'1'], [b'b', b'pop', b'1'], [None]])
    fields = (b'name', b'genre', b'year')
    assert sent == [
        [*(('HMGET', DATA + pk, *fields) for pk in (b'7', b'9')), ('MGET', INCARNATIONS)]
    ]
    assert [obj._id for obj in objs] == [7]
    reader.advance()
    assert trips(reader.pks()) == ([8], [])


def test_a_gap_has_a_walk_ask_whether_the_data_set_was_replaced(rock):
    reader = rock.iterator(2)._reader
    pks, _ = trips(reader.pks(), [[b'7', b'9', b'8']])
    objs, sent = trips(
        reader.read(pks), [[b'a', b'rock', b'1'], [None] * 3, [None]], [[1, 0, 0, 1, 0]]
    )
    assert sent[1] == [('SMISMEMBER', KEYS, 7, 9, 8, 7, 9)]
    assert [obj._id for obj in objs] == [7]


def test_an_update_compares_what_the_filters_name_and_what_it_moves(rock):
    count, sent = trips(
        rock._update({'name': 'x', 'year': 1999}),
        [[b'7', b'8', b'9']],
        [[1, 1, 1], [b'2000', b'rock'], [b'2000', b'pop'], [None, None]],
        [[]],
    )
    row = (
        *(7, 'update', 2, b'year', b'=2000', b'genre', b'=rock'),
        *(2, b'name', b'x', b'year', b'1999'),
    )
    year_2000 = YEAR_1999[:-4] + b'2000'
    assert sent == [
        [('SINTER', KEYS, GENRE_ROCK)],
        [('SMISMEMBER', KEYS, 7, 8, 9), *_rows((7, 8, 9), b'year', b'genre')],
        [
            (
                *('EVALSHA', 'write', 11, *WRITES, DATA + b'7'),
                *(year_2000, YEAR_1999, GENRE_ROCK, GENRE_ROCK, 1, 0, 1, *row),
            )
        ],
    ]
    assert count == 1


def _rows(pks, *fields):
    return [('HMGET', DATA + b'%d' % pk, *fields) for pk in pks]


def test_an_update_of_a_field_without_index_reads_no_row(song):
    count, sent = trips(song.objects._update({'name': 'x'}), [[b'8', b'7']], [[]])
    rows = (7, 'update', 0, 1, b'name', b'x', 8, 'update', 0, 1, b'name', b'x')
    assert sent == [
        [('SMEMBERS', KEYS)],
        [('EVALSHA', 'write', 8, *WRITES, DATA + b'7', DATA + b'8', 1, 0, 2, *rows)],
    ]
    assert count == 2
