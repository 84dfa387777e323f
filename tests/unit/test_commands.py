"""What goes over the wire, command by command. The rule: the expected commands are written out,
so that a reader sees the protocol of this library, and any change of it shows up here.

Scripts appear by name; one list is one round trip.
"""

from __future__ import annotations

import pytest

from IndexedRedis import IRField
from IndexedRedis._core import delete, links, maintain, read, replace
from IndexedRedis.executors.recording import RecordingExecutor

from .build import define, load

K = b'_ir_|Song:'
KEYS, NEXT, DATA = K + b'keys', K + b'next', K + b'data:'
LOCK, TOUCHED, RECORD, SWAPPED = (
    K + b'tmp:lock',
    K + b'tmp:touched',
    K + b'tmp:resets',
    K + b'tmp:swapped',
)
GENRE_ROCK, GENRE_POP, GENRE_JAZZ = (
    K + b'idx:genre:' + name for name in (b'rock', b'pop', b'jazz')
)
YEAR_1999, YEAR_2000 = K + b'idx:year:1999', K + b'idx:year:2000'
ROCK = [b'Hells Bells', b'rock', b'1999']


@pytest.fixture
def song():
    return define('name', 'genre', IRField('year', valueType=int), indexed=['genre', 'year'])


def trips(flow, *replies):
    """Run a flow against these replies, one for each round trip: what it sent, what it gave."""
    executor = RecordingExecutor(replies)
    return executor.run(flow), executor.trips


def query(model, **filters):
    return model.objects.filter(**filters)._query


QUERIES = {
    'none': ({}, (1, KEYS), 1),
    # the set of all is among them, so that entries of objects that are gone do not count
    'eq': ({'genre': 'rock'}, (2, KEYS, GENRE_ROCK), 2),
    'two eq': ({'genre': 'rock', 'year': 1999}, (3, KEYS, GENRE_ROCK, YEAR_1999), 3),
    'ne': ({'genre__ne': 'rock'}, (2, KEYS, GENRE_ROCK), 1),
    'two eq, ne': (
        {'genre': 'rock', 'year': 1999, 'year__ne': 2000},
        (4, KEYS, GENRE_ROCK, YEAR_1999, YEAR_2000),
        3,
    ),
    'both': ({'genre__ne': 'rock', 'year': 1999}, (3, KEYS, YEAR_1999, GENRE_ROCK), 2),
}


@pytest.mark.parametrize('shape', QUERIES)
def test_a_small_result_comes_in_one_script(song, shape):
    filters, keys, every = QUERIES[shape]
    row = [b'Hells Bells', b'pop' if 'genre__ne' in filters else b'rock', b'1999']
    found, sent = trips(read.fetch(query(song, **filters)), [[[b'7'], [row]]])
    fields = (b'name', b'genre', b'year')
    assert sent == [[('EVALSHA', 'find', *keys, every, 2000, 100, DATA, *fields)]]
    assert [(obj._id, obj.name, obj.year) for obj in found] == [(7, 'Hells Bells', 1999)]


@pytest.mark.parametrize(
    ('shape', 'command'),
    [
        ('none', ('SMEMBERS', KEYS)),
        ('eq', ('SINTER', KEYS, GENRE_ROCK)),
        ('two eq', ('SINTER', KEYS, GENRE_ROCK, YEAR_1999)),
        ('ne', ('SDIFF', KEYS, GENRE_ROCK)),
        ('both', ('EVALSHA', 'members', 3, KEYS, YEAR_1999, GENRE_ROCK, 2)),
        (
            'two eq, ne',
            ('EVALSHA', 'members', 4, KEYS, GENRE_ROCK, YEAR_1999, YEAR_2000, 3),
        ),
    ],
)
def test_pks_come_by_the_native_command_where_there_is_one(song, shape, command):
    pks, sent = trips(read.primary_keys(query(song, **QUERIES[shape][0]), True), [[b'10', b'9']])
    assert sent == [[command]]
    assert pks == [9, 10]


@pytest.mark.parametrize(
    ('filters', 'command'),
    [
        ({}, ('SCARD', KEYS)),
        ({'genre': 'rock'}, ('SCARD', GENRE_ROCK)),
        (
            {'genre': 'rock', 'year': 1999},
            ('EVALSHA', 'count', 2, GENRE_ROCK, YEAR_1999, 1, 2),
        ),
        # all of them, less those of the genre
        ({'genre__ne': 'rock'}, ('EVALSHA', 'count', 2, KEYS, GENRE_ROCK, 1, 1, -1, 1)),
        # the year, less (year and rock), less (year and pop), and what was taken off twice
        (
            {'year': 1999, 'genre__ne': 'rock', 'year__ne': 2000},
            (
                *('EVALSHA', 'count', 8),
                *(YEAR_1999, YEAR_1999, GENRE_ROCK, YEAR_1999, YEAR_2000),
                *(YEAR_1999, GENRE_ROCK, YEAR_2000),
                *(1, 1, -1, 2, -1, 2, 1, 3),
            ),
        ),
    ],
)
def test_counts_move_no_members(song, filters, command):
    count, sent = trips(read.count(query(song, **filters)), [42])
    assert sent == [[command]]
    assert count == 42


def test_a_large_result_comes_in_chunks_between_two_looks_at_the_note(song):
    pks = [b'%d' % pk for pk in range(1, 301)]
    replies = [[pks]], [None, pks], [ROCK] * 250, [ROCK] * 50, [None]
    found, sent = trips(read.fetch(query(song, genre='rock')), *replies)
    assert [len(trip) for trip in sent] == [1, 2, 250, 50, 1]
    assert sent[1] == [('GET', SWAPPED), ('SINTER', KEYS, GENRE_ROCK)]
    assert sent[2][0] == ('HMGET', DATA + b'1', b'name', b'genre', b'year')
    assert sent[4] == [('GET', SWAPPED)]
    assert [obj._id for obj in found] == list(range(1, 301))


def test_one_object_comes_with_its_membership_in_one_trip(song):
    obj, sent = trips(read.get_one(song._validated(), 7, song._validated().all), [[1], ROCK])
    assert sent == [
        [('SMISMEMBER', KEYS, 7), ('HMGET', DATA + b'7', b'name', b'genre', b'year')],
    ]
    assert obj.name == 'Hells Bells'
    gone, _ = trips(read.get_one(song._validated(), 7, song._validated().all), [[0], ROCK])
    assert gone is None


def test_an_insert_reserves_its_pk_then_writes(song):
    obj = song(name='Hells Bells', genre='rock', year=1999)
    pks, sent = trips(links.save(song._validated(), [obj], [None]), [7], [[]])
    assert sent == [
        [('EVALSHA', 'reserve', 2, NEXT, KEYS, 1, 0)],
        [
            (
                *('EVALSHA', 'write', 9, KEYS, NEXT, LOCK, TOUCHED, DATA + b'7'),
                *(GENRE_ROCK, GENRE_ROCK, YEAR_1999, YEAR_1999),
                *(1, 1, 7, 'insert', 2, b'genre', b'-', b'year', b'-'),
                *(3, b'name', b'Hells Bells', b'genre', b'rock', b'year', b'1999'),
            )
        ],
    ]
    assert pks == [7] == [obj.getPk()]


def test_an_update_sends_only_what_changed_and_what_it_believes(song):
    obj = load(song, 7, name=ROCK[0], genre=ROCK[1], year=ROCK[2])
    obj.genre = 'pop'
    _, sent = trips(links.save(song._validated(), [obj], [None]), [[]])
    assert sent == [
        [
            (
                *('EVALSHA', 'write', 7, KEYS, NEXT, LOCK, TOUCHED, DATA + b'7'),
                *(GENRE_ROCK, GENRE_POP),
                *(1, 1, 7, 'update', 1, b'genre', b'=rock'),
                *(1, b'genre', b'pop'),
            )
        ]
    ]


def test_a_save_without_changes_sends_nothing(song):
    obj = load(song, 7, name=ROCK[0], genre=ROCK[1], year=ROCK[2])
    pks, sent = trips(links.save(song._validated(), [obj], [None]))
    assert (pks, sent) == ([7], [])


def test_a_bulk_insert_is_one_transaction_with_one_sadd_for_each_set(song):
    objs = [song(name='a', genre='rock', year=1999), song(name='b', genre='rock', year=2000)]
    executor = RecordingExecutor([[7], [None], [1, 1, 2, 2, 1, 1, 0]])
    executor.run(links.save(song._validated(), objs, [None, None]))
    reserve, types, batch = executor.trips
    assert reserve == [('EVALSHA', 'reserve', 2, NEXT, KEYS, 2, 0)]
    assert types == [
        ('EVALSHA', 'other_type', 4, KEYS, GENRE_ROCK, YEAR_1999, YEAR_2000, b'set'),
    ]
    assert batch[:-1] == [
        ('HSET', DATA + b'7', b'name', b'a', b'genre', b'rock', b'year', b'1999'),
        ('HSET', DATA + b'8', b'name', b'b', b'genre', b'rock', b'year', b'2000'),
        ('SADD', KEYS, 7, 8),
        ('SADD', GENRE_ROCK, 7, 8),
        ('SADD', YEAR_1999, 7),
        ('SADD', YEAR_2000, 8),
    ]
    command, _text, *keys = batch[-1]
    assert [command, *keys] == ['EVAL', 6, LOCK, TOUCHED, KEYS, GENRE_ROCK, YEAR_1999, YEAR_2000]
    assert executor.atomic == [False, False, True]
    assert [obj.getPk() for obj in objs] == [7, 8]


def test_a_delete_says_what_it_believes(song):
    obj = load(song, 7, name=ROCK[0], genre=ROCK[1], year=ROCK[2])
    count, sent = trips(delete.delete_objects(song._validated(), [obj]), [1])
    assert sent == [
        [
            (
                *('EVALSHA', 'delete', 5, KEYS, LOCK, DATA + b'7', GENRE_ROCK, YEAR_1999),
                *(0, 1, 7, 2, b'genre', b'=rock', b'year', b'=1999'),
            )
        ]
    ]
    assert (count, obj.getPk()) == (1, None)


def test_a_filtered_delete_takes_pks_then_rows_then_deletes(song):
    count, sent = trips(
        delete.delete_matching(query(song, genre='rock')), [[b'7']], [[1], [b'rock', b'1999']], [1]
    )
    assert sent == [
        [('SMEMBERS', GENRE_ROCK)],
        [('SMISMEMBER', KEYS, 7), ('HMGET', DATA + b'7', b'genre', b'year')],
        [
            (
                *('EVALSHA', 'delete', 6, KEYS, LOCK, GENRE_ROCK, DATA + b'7'),
                *(GENRE_ROCK, YEAR_1999),
                *(1, 1, 7, 2, b'genre', b'=rock', b'year', b'=1999'),
            )
        ],
    ]
    assert count == 1


def test_reindex_writes_sets_only(song):
    count, sent = trips(
        maintain.reindex_matching(query(song)), [[b'7']], [[1], [b'rock', b'1999']], [[]]
    )
    assert sent[2] == [
        (
            *('EVALSHA', 'write', 9, KEYS, NEXT, LOCK, TOUCHED, DATA + b'7'),
            *(GENRE_ROCK, GENRE_ROCK, YEAR_1999, YEAR_1999),
            *(1, 1, 7, 'update', 2, b'genre', b'=rock', b'year', b'=1999'),
            0,
        )
    ]
    assert count == 1


def test_a_reset_stages_then_swaps_then_cleans_up(song):
    objs = [song(name='a', genre='pop', year=2000), song(name='b', genre='pop', _id=3)]
    staged = K + b'tmp:TOKEN:'
    old = [[b'0', [b'1']], 1]
    (pks, sent) = trips(
        replace.reset(song._validated(), objs, b'TOKEN', lambda obj: None),
        *([b'OK', b'TOKEN'], [0, 1], [[b'TOKEN']], [7], [1] * 11, [None]),
        *(old, [[b'rock', b'1999']], [None], [None], [b'done']),
        *([[b'0', [b'1']]], [[[b'1', [b'rock', b'1999']]]], [0, 0], [1, 1], [1]),
    )
    hold = ('EVALSHA', 'hold', 2, LOCK, TOUCHED, b'TOKEN', 10_000)
    listed = ('HSET', RECORD, b'TOKEN', 'staging')
    null = b'IRNullType()'
    assert sent == [
        [('SET', LOCK, b'TOKEN', 'NX', 'PX', 10_000), ('GET', LOCK)],
        [('DEL', TOUCHED), listed],
        [('HKEYS', RECORD)],
        [('EVALSHA', 'reserve', 2, NEXT, KEYS, 1, 3)],
        [
            hold,
            listed,
            ('SADD', staged + b'ranges', b'7 1'),
            (
                *('SADD', staged + b'sets', staged + b'keys', staged + b'idx:genre:pop'),
                *(staged + b'idx:year:2000', staged + b'idx:year:' + null, staged + b'data:3'),
            ),
            ('HSET', DATA + b'7', b'name', b'a', b'genre', b'pop', b'year', b'2000'),
            ('HSET', staged + b'data:3', b'name', b'b', b'genre', b'pop', b'year', null),
            ('SADD', staged + b'keys', 7, 3),
            ('SADD', staged + b'idx:genre:pop', 7, 3),
            ('SADD', staged + b'idx:year:2000', 7),
            ('SADD', staged + b'idx:year:' + null, 3),
        ],
        [('EVALSHA', 'other_type', 1, KEYS, b'set')],
        [('SSCAN', KEYS, b'0', 'COUNT', 500), hold],
        [('HMGET', DATA + b'1', b'genre', b'year')],
        sent[8],  # the same check of types, in whatever order
        [('EVALSHA', 'other_type', 1, DATA + b'3', b'hash')],
        [
            (
                *('EVALSHA', 'swap', 19, LOCK, RECORD, KEYS, staged + b'old', NEXT, SWAPPED),
                *(TOUCHED, GENRE_ROCK, YEAR_1999),
                *(staged + b'idx:genre:pop', GENRE_POP, staged + b'idx:year:2000', YEAR_2000),
                *(staged + b'data:3', DATA + b'3'),
                *(staged + b'idx:year:' + null, K + b'idx:year:' + null, staged + b'keys', KEYS),
                *(b'TOKEN', 2, 'swapped', 3, 60_000),
            )
        ],
        [('SSCAN', staged + b'old', b'0', 'COUNT', 500)],
        [('EVALSHA', 'retire', 1, KEYS, 10_000, DATA, 2, b'genre', b'year', b'1')],
        [
            ('EVALSHA', 'prune', 2, KEYS, GENRE_ROCK, b'1'),
            ('EVALSHA', 'prune', 2, KEYS, YEAR_1999, b'1'),
        ],
        [
            ('UNLINK', staged + b'sets', staged + b'ranges', staged + b'old'),
            ('EVALSHA', 'forget', 3, RECORD, staged + b'sets', staged + b'ranges', b'TOKEN'),
        ],
        [('EVALSHA', 'release', 2, LOCK, TOUCHED, b'TOKEN')],
    ]
    assert sorted(sent[8][0][3:-1]) == sorted(
        [GENRE_ROCK, YEAR_1999, KEYS, GENRE_POP, YEAR_2000, K + b'idx:year:' + null]
    )
    assert pks == [7, 3]
