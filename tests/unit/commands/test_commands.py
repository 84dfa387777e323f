"""What goes over the wire, command by command. The rule: the expected commands are written out,
so that a reader sees the protocol of this library, and any change of it shows up here.

Scripts appear by name; one list is one round trip.
"""

from __future__ import annotations

import msgpack
import pytest
from support.linked import Book

from IndexedRedis import IRField
from IndexedRedis._core.bulk import delete, recovery, reindex
from IndexedRedis._core.bulk import insert as bulk_insert
from IndexedRedis._core.flows import AnswerLost
from IndexedRedis._core.integrity import check
from IndexedRedis._core.links import saving
from IndexedRedis._core.queries import by_pk, fetch
from IndexedRedis._core.queries import query as queries
from IndexedRedis._core.resets import swap
from IndexedRedis._core.writes import sizes
from IndexedRedis.executors.recording import RecordingExecutor
from unit.build import define, load, number_draws

K = b'_ir_|Song:'
KEYS, NEXT, DATA, TMP = K + b'keys', K + b'next', K + b'data:', K + b'tmp:'
LOCK, TOUCHED, RECORD, SWAPPED, INCARNATIONS = (
    K + b'tmp:lock',
    K + b'tmp:touched',
    K + b'tmp:resets',
    K + b'tmp:swapped',
    K + b'tmp:incarnations',
)
GENRE_ROCK, GENRE_POP, GENRE_JAZZ = (
    K + b'idx:genre:' + name for name in (b'rock', b'pop', b'jazz')
)
YEAR_1999, YEAR_2000 = K + b'idx:year:1999', K + b'idx:year:2000'
ROCK = [b'Hells Bells', b'rock', b'1999']
MARKERS = ('MGET', SWAPPED, INCARNATIONS)
NAMES = (DATA, SWAPPED, INCARNATIONS)
NONE = [None, None]  # the reply to MARKERS


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
    found, sent = trips(fetch.fetch(query(song, **filters)), [[[b'7'], [row], None]])
    fields = (b'name', b'genre', b'year')
    members = 200 if shape in ('none', 'eq') else 2000
    assert sent == [[('EVALSHA', 'find', *keys, every, members, 100, *NAMES, *fields)]]
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
    pks, sent = trips(queries.primary_keys(query(song, **QUERIES[shape][0]), True), [[b'10', b'9']])
    assert sent == [[command]]
    assert pks == [9, 10]


@pytest.mark.parametrize(
    ('filters', 'command'),
    [
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
    count, sent = trips(queries.count(query(song, **filters)), [0, 42, 0])
    assert sent == [[('EXISTS', RECORD), command, ('EXISTS', RECORD)]]
    assert count == 42


def test_all_objects_are_counted_by_one_command(song):
    assert trips(queries.count(query(song)), [42]) == (42, [[('SCARD', KEYS)]])


@pytest.mark.parametrize('replies', [[1, 43, 1], [0, 43, 1], [1, 43, 0]])
def test_beside_a_reset_small_index_sets_are_counted_together_with_all_pks(song, replies):
    count, sent = trips(queries.count(query(song, genre='rock', year__ne=1999)), replies, [42])
    numbers = (1, 1, -1, 2)
    terms = (GENRE_ROCK, GENRE_ROCK, YEAR_1999)
    assert sent == [
        [
            ('EXISTS', RECORD),
            ('EVALSHA', 'count', 3, *terms, *numbers),
            ('EXISTS', RECORD),
        ],
        [('EVALSHA', 'count_living', 5, KEYS, TOUCHED, *terms, 10_000, *numbers)],
    ]
    assert count == 42


def test_a_large_result_comes_in_chunks_between_two_looks_at_the_note(song):
    pks = [b'%d' % pk for pk in range(1, 601)]
    sizes = [32, 64, 128, 256]
    replies = [[]], [NONE, pks], *([ROCK] * size for size in sizes), [*[ROCK] * 120, NONE]
    found, sent = trips(fetch.fetch(query(song, genre='rock')), *replies)
    assert [len(trip) for trip in sent] == [1, 2, *sizes, 121]
    assert sent[1] == [MARKERS, ('SINTER', KEYS, GENRE_ROCK)]
    assert sent[2][0] == ('HMGET', DATA + b'1', b'name', b'genre', b'year')
    assert sent[-1][-1] == MARKERS
    assert [obj._id for obj in found] == list(range(1, 601))


def test_rows_of_more_than_one_trip_come_by_the_pks_and_the_note_of_the_first(song):
    pks = [b'%d' % pk for pk in range(1, 151)]
    note = [b'T1', None]
    replies = [[pks, note]], [ROCK] * 32, [ROCK] * 64, [*[ROCK] * 54, note]
    found, sent = trips(fetch.fetch(query(song, genre='rock')), *replies)
    assert [len(trip) for trip in sent] == [1, 32, 64, 55]
    assert [obj._id for obj in found] == list(range(1, 151))


def test_fewer_rows_of_many_fields_come_in_one_trip():
    wide = define(*[f'f{n}' for n in range(40)], name='Wide')
    _, sent = trips(fetch.fetch(wide.objects._query), [[[], [], None]])
    assert sent[0][0][5:7] == (200, 25)


def test_one_object_comes_with_its_membership_in_one_trip(song):
    def get():
        return by_pk.get_one(song._validated(), 7, song._validated().all)

    obj, sent = trips(get(), [1, ROCK, [None]])
    row = 'HMGET', DATA + b'7', b'name', b'genre', b'year'
    assert sent == [[('SISMEMBER', KEYS, b'7'), row, ('MGET', INCARNATIONS)]]
    assert obj.name == 'Hells Bells'
    gone, _ = trips(get(), [0, ROCK, [None]])
    assert gone is None


def packed(*pairs):
    """A row as a script is given it."""
    return b'\xdd' + len(pairs).to_bytes(4, 'big') + b''.join(map(msgpack.packb, pairs))


def test_the_script_that_stores_a_new_object_draws_its_pk(song, monkeypatch):
    number_draws(monkeypatch, b'TOKEN', 5)
    obj = song(name='Hells Bells', genre='rock', year=1999)
    pks, sent = trips(saving.save(song._validated(), [obj], [None]), [[7, b'id', 1]])
    assert sent == [
        [
            (
                *('EVALSHA', 'insert_one', 8, NEXT, KEYS, INCARNATIONS, TMP + b'TOKEN:drawn'),
                *(RECORD, TOUCHED, GENRE_ROCK, YEAR_1999, 5, DATA),
                *(b'name', b'Hells Bells', b'genre', b'rock', b'year', b'1999'),
            )
        ],
    ]
    assert pks == [7] == [obj.getPk()]
    assert obj._state.drawn == b'id'


def test_a_draw_whose_reply_was_lost_is_repeated_and_its_token_is_used_up(song, monkeypatch):
    number_draws(monkeypatch, b'TOKEN', 5)
    schema, obj = song._validated(), song(name='a', genre='rock', year=1999)
    _, sent = trips(saving.save(schema, [obj], [None]), AnswerLost(), [[7, b'id']], [[]])
    note = TMP + b'TOKEN:drawn'
    assert sent[1:] == [
        [('EVALSHA', 'reserve', 4, NEXT, KEYS, INCARNATIONS, note, 1, 0, 1000, 1, 0, 5)],
        [
            (
                *('EVALSHA', 'write', 11, KEYS, NEXT, LOCK, TOUCHED, RECORD, INCARNATIONS),
                *(DATA + b'7', GENRE_ROCK, GENRE_ROCK, YEAR_1999, YEAR_1999),
                *(1, 1, b'id', 7, 1, 7, 'insert', 2, b'genre', b'-', b'year', b'-'),
                *(3, b'name', b'a', b'genre', b'rock', b'year', b'1999'),
            )
        ],
    ]
    for reply in [[8, b'id', 1]], [[9, b'id', 0]]:
        more = [] if reply[0][2] else [[[]]]
        later = song(name='b', genre='rock', year=1999)
        _, sent = trips(saving.save(schema, [later], [None]), reply, *more)
        note, number = sent[0][0][6], sent[0][0][11]
        assert note != TMP + b'TOKEN:drawn'
    assert number == 2  # that token was free again


@pytest.mark.parametrize('first', ['two', 'link to itself', 'wide'])
def test_other_new_objects_get_their_pks_in_a_trip_before(song, first):
    wide = define(*(f'f{n}' for n in range(sizes.FIELDS_IN_ONE_COMMAND + 1)), name='Wide')
    itself = Book(title='a')
    itself.similar = [itself]
    objs = {'two': [song(), song()], 'link to itself': [itself], 'wide': [wide()]}[first]
    schema = type(objs[0])._validated()
    _, sent = trips(saving.save(schema, objs, [None] * len(objs)), [[7, b'']], [1])
    assert [trip[0][1] for trip in sent] == ['reserve', 'insert']


def test_a_link_to_a_stored_object_needs_no_trip_before():
    schema = Book._validated()
    _, sent = trips(
        saving.save(schema, [Book(title='a', author=3, similar=[4])], [None]), [[7, b'', 1]]
    )
    assert sent[0][0][-6:] == (b'title', b'a', b'author', b'3', b'similar', b'4')


def test_an_update_sends_only_what_changed_and_what_it_believes(song):
    obj = load(song, 7, name=ROCK[0], genre=ROCK[1], year=ROCK[2])
    obj.genre = 'pop'
    _, sent = trips(saving.save(song._validated(), [obj], [None]), [1])
    assert sent == [
        [
            (
                *('EVALSHA', 'update_one', 6, KEYS, RECORD, DATA + b'7', INCARNATIONS),
                *(GENRE_ROCK, GENRE_POP),
                *(7, b'', 1, b'genre', b'rock', b'genre', b'pop'),
            )
        ]
    ]


def test_an_update_of_several_says_what_it_believes(song):
    objs = [load(song, pk, name=ROCK[0], genre=ROCK[1], year=ROCK[2]) for pk in (7, 8)]
    for obj in objs:
        obj.genre = 'pop'
    _, sent = trips(saving.save(song._validated(), objs, [None] * 2), [[]])
    assert sent == [
        [
            (
                *('EVALSHA', 'write', 12, KEYS, NEXT, LOCK, TOUCHED, RECORD, INCARNATIONS),
                *(DATA + b'7', GENRE_ROCK, GENRE_POP, DATA + b'8', GENRE_ROCK, GENRE_POP),
                *(1, 0, 2, 7, 'update', 1, b'genre', b'=rock', 1, b'genre', b'pop'),
                *(8, 'update', 1, b'genre', b'=rock', 1, b'genre', b'pop'),
            )
        ]
    ]


def test_a_save_without_changes_sends_nothing(song):
    obj = load(song, 7, name=ROCK[0], genre=ROCK[1], year=ROCK[2])
    pks, sent = trips(saving.save(song._validated(), [obj], [None]))
    assert (pks, sent) == ([7], [])


def test_a_bulk_insert_is_one_script(song):
    objs = [song(name='a', genre='rock', year=1999), song(name='b', genre='rock', year=2000)]
    _, sent = trips(saving.save(song._validated(), objs, [None, None]), [[7, b'']], [1])
    assert sent == [
        [('EVALSHA', 'reserve', 3, NEXT, KEYS, INCARNATIONS, 2, 0, 1000, 1, 0)],
        [
            (
                *('EVALSHA', 'insert', 10, KEYS, RECORD, TOUCHED, NEXT, INCARNATIONS),
                *(DATA + b'7', DATA + b'8', GENRE_ROCK, YEAR_1999, YEAR_2000),
                *(1, 2, 3, b'', b'7', b'8'),
                packed('name', 'a', 'genre', 'rock', 'year', '1999'),
                packed('name', 'b', 'genre', 'rock', 'year', '2000'),
                *(2, b'7', b'8', 1, b'7', 1, b'8'),
            )
        ],
    ]
    assert [obj.getPk() for obj in objs] == [7, 8]


def test_replaced_rows_do_not_all_expire_in_the_same_moment():
    schema = define('name', name='Plain')._validated()
    pks = [b'%d' % pk for pk in range(1, 451)]
    pages = [0], [0], [0]
    _, sent = trips(recovery.sweep(schema, b'T', replaced=()), [[b'0', pks]], *pages, [1, 1])
    retired = [command for trip in sent for command in trip if command[1] == 'retire']
    assert [(command[6], len(command[8:])) for command in retired] == [
        *((10_000, 200), (10_020, 200), (10_040, 50)),
    ]


def test_a_delete_says_what_it_believes(song):
    obj = load(song, 7, name=ROCK[0], genre=ROCK[1], year=ROCK[2])
    count, sent = trips(delete.delete_objects(song._validated(), [obj]), [1])
    assert sent == [
        [
            (
                *('EVALSHA', 'delete', 7, KEYS, LOCK, RECORD, INCARNATIONS),
                *(DATA + b'7', GENRE_ROCK, YEAR_1999),
                *(1, 2, b'genre', b'year', 0, b'7', b'=rock', b'=1999', 1, b'7', 1, b'7'),
            )
        ]
    ]
    assert (count, obj.getPk()) == (1, None)


def test_a_filtered_delete_takes_pks_then_rows_then_deletes(song):
    count, sent = trips(
        delete.delete_matching(query(song, genre='rock')),
        *([[b'7']], [[1], [b'rock', b'1999']], [1]),
    )
    assert sent == [
        [('SMEMBERS', GENRE_ROCK)],
        [('SMISMEMBER', KEYS, 7), ('HMGET', DATA + b'7', b'genre', b'year')],
        [
            (
                *('EVALSHA', 'delete', 7, KEYS, LOCK, RECORD, INCARNATIONS),
                *(DATA + b'7', GENRE_ROCK, YEAR_1999),
                *(1, 2, b'genre', b'year', 0, b'7', b'=rock', b'=1999', 1, b'7', 1, b'7'),
            )
        ],
    ]
    assert count == 1


def test_reindex_writes_sets_only(song):
    count, sent = trips(
        reindex.reindex_matching(query(song)),
        *([[b'0', [b'7']]], [[1], [b'rock', b'1999']], [[]]),
    )
    assert sent[2] == [
        (
            *('EVALSHA', 'write', 11, KEYS, NEXT, LOCK, TOUCHED, RECORD, INCARNATIONS),
            *(DATA + b'7', GENRE_ROCK, GENRE_ROCK, YEAR_1999, YEAR_1999),
            *(1, 0, 1, 7, 'update', 2, b'genre', b'=rock', b'year', b'=1999'),
            0,
        )
    ]
    assert count == 1


def test_a_check_looks_at_objects_then_at_keys(song):
    pages = [b'0', [b'7']], [b'0', [KEYS, DATA + b'7', GENRE_ROCK, K + b'other']]
    facts = [b'set', -1, b'hash', -1, b'set', -1]
    report, sent = trips(
        check.check(song._validated()),
        *([b'noeviction'], [None], [1], [pages[0]], [[[1, -1, [b'rock', b'1999'], []]]]),
        *([[[1, -1, [b'rock', b'1999'], [1, 0]]]], [[[], []]], [[[], []]]),
        *([4], [pages[1]], facts, [[]]),
        *([[b'0', [b'7', b'8']]], [[[1, -1, [b'rock'], [1]], [0, -2, [None], [1]]]], [None]),
    )
    look, fields = ('EVALSHA', 'look'), (b'genre', b'year')
    assert sent == [
        [('EVALSHA', 'policy', 0)],
        [('EVALSHA', 'other_type', 1, KEYS, b'set')],
        [('SCARD', KEYS)],
        [('SSCAN', KEYS, b'0', 'COUNT', 500)],
        [(*look, 2, KEYS, RECORD, DATA, TMP, b'7', 2, 0, *fields)],
        [(*look, 4, KEYS, RECORD, GENRE_ROCK, YEAR_1999, DATA, TMP, b'7', 2, 2, *fields)],
        [('EVALSHA', 'leftovers', 3, LOCK, RECORD, LOCK, TMP)],
        [('EVALSHA', 'leftovers', 2, LOCK, RECORD, TMP)],
        [('DBSIZE',)],
        [('SCAN', b'0', 'MATCH', K + b'*', 'COUNT', 500)],
        [
            *(('TYPE', KEYS), ('PTTL', KEYS), ('TYPE', DATA + b'7'), ('PTTL', DATA + b'7')),
            *(('TYPE', GENRE_ROCK), ('PTTL', GENRE_ROCK)),
        ],
        [('EVALSHA', 'unlisted', 2, KEYS, RECORD, DATA, TMP, b'7')],
        [('SSCAN', GENRE_ROCK, b'0', 'COUNT', 500)],
        [
            (
                *(*look, 4, KEYS, RECORD, GENRE_ROCK, GENRE_ROCK, DATA, TMP),
                *(b'7', 1, 1, b'genre', b'8', 1, 1, b'genre'),
            )
        ],
        [('EVALSHA', 'counter', 2, NEXT, KEYS, DATA, b'7')],
    ]
    assert report.counts == {'entry_missing': 1, 'entry_gone': 1}
    assert (report.objects, report.entries) == (1, 2)


def test_a_repair_looks_again_while_it_writes(song):
    facts = [[1, 90, [b'rock', b'1999'], []]]
    _, sent = trips(
        check.repair(song._validated(), b'TOKEN'),
        *([None], [1], [[b'0', [b'7']]], [facts], [[[1, -1, [b'rock', b'1999'], [1, 0]]]]),
        *([[1]], [0], [[[], []]], [[[], []]], [4], [[b'0', []]], [[b'counter_low', b'3']], [b'OK']),
    )
    assert sent[5:7] == [
        [
            (
                *('EVALSHA', 'mend_entries', 5, KEYS, LOCK, TOUCHED, RECORD, YEAR_1999),
                *(DATA, TMP, 'entry_missing', b'7', b'year', b'=1999'),
            )
        ],
        [('EVALSHA', 'mend_rows', 2, KEYS, RECORD, DATA, TMP, 'row_expiring', b'7')],
    ]
    assert sent[11:] == [
        [('EVALSHA', 'counter', 2, NEXT, KEYS, DATA, b'7')],
        [('EVALSHA', 'mend_counter', 2, NEXT, KEYS, DATA, b'7')],
    ]


def test_a_reset_stages_fills_swaps_and_cleans_up(song):
    objs = [song(name='a', genre='pop', year=2000), song(name='b', genre='rock', year=2000)]
    staged = K + b'tmp:TOKEN:'
    work = [staged + name for name in (b'sets', b'ranges', b'brought', b'old')]
    listed = [staged + rest for rest in (b'keys', b'idx:genre:pop', b'idx:genre:rock')]
    listed.append(staged + b'idx:year:2000')
    old = [20_000], [[b'1'], 1]
    ((pks,), sent) = trips(
        swap.reset_all([(song._validated(), objs)], b'TOKEN', lambda obj: None),
        *([b'OK', b'TOKEN'], [1, [b'TOKEN']], [[7, b'']]),
        *(*[[1, None, None, []]] * 2, [None], [None]),
        *(*old, [[b'rock', b'1999']], [[GENRE_ROCK]], [None]),  # this genre is a large one
        *([[b'0', listed], 1], [[1, []], 1], [[1, [YEAR_2000]], 1], [None], [b'done', [b'']]),
        *([[b'0', [b'1']], 1], [[b'rock', b'1999']], [0, 0, 1], [1, 1], [0, 1]),
    )
    flag = staged + b'refused'
    locks = ('EVALSHA', 'hold', 2, LOCK, RECORD, b'TOKEN', 10_000)
    hold, retake = (*locks, 0), (*locks, 1)
    fill = (*('EVALSHA', 'fill', 3, LOCK, staged + b'sets', KEYS), *(b'TOKEN', 1000, 2000))
    fill += (staged, K)
    assert sent[:2] == [
        [('SET', LOCK, b'TOKEN', 'NX', 'PX', 10_000), ('GET', LOCK)],
        [('EVALSHA', 'begin', 3, LOCK, TOUCHED, RECORD, b'TOKEN'), ('HKEYS', RECORD)],
    ]
    assert sent[2:5] == [
        [('EVALSHA', 'reserve', 3, NEXT, KEYS, INCARNATIONS, 2, 0, 1000, 1, 0)],
        [
            retake,
            ('WATCH', flag, LOCK, DATA + b'7', DATA + b'8'),
            ('EVAL', 'may_store', 3, flag, LOCK, KEYS, b'TOKEN', 7, 8),
            ('MULTI',),
            ('SADD', staged + b'ranges', b'7 2'),
            ('HSET', DATA + b'7', b'name', b'a', b'genre', b'pop', b'year', b'2000'),
            ('HSET', DATA + b'8', b'name', b'b', b'genre', b'rock', b'year', b'2000'),
            ('EXEC',),
        ],
        [
            retake,
            ('WATCH', flag, LOCK),
            ('EVAL', 'may_store', 3, flag, LOCK, KEYS, b'TOKEN'),
            ('MULTI',),
            ('SADD', staged + b'sets', *listed),
            ('SADD', staged + b'keys', b'7', b'8'),
            ('SADD', staged + b'idx:genre:pop', b'7'),
            ('SADD', staged + b'idx:genre:rock', b'8'),
            ('SADD', staged + b'idx:year:2000', b'7', b'8'),
            ('EXEC',),
        ],
    ]
    assert sent[5:17] == [
        [('EVALSHA', 'other_type', 1, KEYS, b'set')],
        [('EVALSHA', 'other_type', 1, NEXT, b'string')],
        [('SCARD', KEYS)],
        [('SRANDMEMBER', KEYS, 200), hold],
        [('HMGET', DATA + b'1', b'genre', b'year')],
        [('EVALSHA', 'large', 2, GENRE_ROCK, YEAR_1999, 1000)],
        [('EVALSHA', 'other_type', 1, GENRE_ROCK, b'set')],
        [('SSCAN', staged + b'sets', b'0', 'COUNT', 180), hold],
        # it stopped after the first, so it is called again; the second gets too large
        [(*fill, b'idx:genre:pop', b'idx:year:2000'), hold],
        [(*fill, b'idx:year:2000'), hold],
        [('EVALSHA', 'other_type', 3, GENRE_ROCK, YEAR_2000, KEYS, b'set')],
        [
            (
                *('EVALSHA', 'swap', 15, LOCK, RECORD, KEYS, staged + b'old', NEXT, SWAPPED),
                *(K + b'tmp:mirrored', TOUCHED, GENRE_ROCK),
                *(staged + b'idx:genre:rock', GENRE_ROCK, staged + b'idx:year:2000', YEAR_2000),
                *(staged + b'keys', KEYS),
                *(b'TOKEN', 'swapped', '', 1, 1, 3, 8, 0, 1000, 2),
            ),
            ('EVALSHA', 'records', 1, INCARNATIONS),
        ],
    ]
    assert sent[17:] == [
        [('SSCAN', staged + b'old', b'0', 'COUNT', 180), hold],
        [('HMGET', DATA + b'1', b'genre', b'year')],
        [
            # not the genre, which the swap has replaced
            ('EVALSHA', 'prune', 3, KEYS, RECORD, YEAR_1999, b'TOKEN', 1, b'1', 1, b'1'),
            ('EVALSHA', 'retire', 2, KEYS, RECORD, b'TOKEN', 10_000, DATA, b'1'),
            hold,
        ],
        [
            ('UNLINK', *work),
            ('EVALSHA', 'forget', 3, RECORD, staged + b'sets', staged + b'ranges', b'TOKEN'),
        ],
        [
            (*('EVALSHA', 'forget', 6, RECORD, *work, staged + b'left', b'TOKEN'),),
            ('EVALSHA', 'release', 3, LOCK, TOUCHED, RECORD, b'TOKEN'),
        ],
    ]
    assert pks == [7, 8]


def test_many_new_objects_are_stored_out_of_sight_and_then_published(song, monkeypatch):
    monkeypatch.setattr(sizes, 'SCRIPT_US', 2)
    monkeypatch.setattr(bulk_insert, 'CHUNK', 1)
    monkeypatch.setattr(bulk_insert, 'new_token', lambda: b'TOKEN')
    objs = [song(name=name, genre='rock', year=1999) for name in 'ab']
    work = [K + b'tmp:TOKEN:' + name for name in (b'sets', b'ranges', b'brought', b'old', b'left')]
    pks, sent = trips(
        saving.save(song._validated(), objs, [None, None]),
        *([[7, b'']], [b'OK', b'TOKEN'], [1, [b'TOKEN']], *[[1, None, None, []]] * 3),
        *([None, None, []], [0, 1]),
    )
    hold = ('EVALSHA', 'hold', 2, LOCK, RECORD, b'TOKEN', 10_000, 0)
    sets, flag = (GENRE_ROCK, YEAR_1999), K + b'tmp:TOKEN:refused'

    def rows(pk, name):
        return [
            *(hold, ('WATCH', flag, LOCK, DATA + pk)),
            ('EVAL', 'may_store', 3, flag, LOCK, KEYS, b'TOKEN', int(pk)),
            *(('MULTI',), ('SADD', work[1], b'7 2')),
            ('HSET', DATA + pk, b'name', name, b'genre', b'rock', b'year', b'1999'),
            ('EXEC',),
        ]

    assert sent == [
        [('EVALSHA', 'reserve', 3, NEXT, KEYS, INCARNATIONS, 2, 0, 1000, 1, 0)],
        [('SET', LOCK, b'TOKEN', 'NX', 'PX', 10_000), ('GET', LOCK)],
        [('EVALSHA', 'begin', 3, LOCK, TOUCHED, RECORD, b'TOKEN'), ('HKEYS', RECORD)],
        rows(b'7', b'a'),
        rows(b'8', b'b'),
        [
            *(hold, ('WATCH', flag, LOCK)),
            ('EVAL', 'may_store', 5, flag, LOCK, KEYS, *sets, b'TOKEN'),
            *(('MULTI',), ('SADD', TOUCHED, *sets), ('PEXPIRE', TOUCHED, 86_400_000)),
            *(('SADD', GENRE_ROCK, b'7', b'8'), ('SADD', YEAR_1999, b'7', b'8'), ('EXEC',)),
        ],
        [
            ('WATCH', flag, LOCK),
            ('EVAL', 'may_commit', 4, flag, LOCK, RECORD, KEYS, b'TOKEN'),
            *(('MULTI',), ('HSET', RECORD, b'TOKEN', b'committed')),
            *(('EVAL', 'publish', 2, work[1], KEYS, 7, 2, 2, DATA, 0), ('EXEC',)),
        ],
        [
            ('EVALSHA', 'forget', 6, RECORD, *work, b'TOKEN'),
            ('EVALSHA', 'release', 3, LOCK, TOUCHED, RECORD, b'TOKEN'),
        ],
    ]
    assert pks == [7, 8] and [obj._id for obj in objs] == [7, 8]


def test_objects_whose_pks_are_in_use_are_moved_by_the_swap(song):
    objs = [song(name=name, genre='pop', year=1999, _id=pk) for name, pk in (('b', 3), ('c', 9))]
    staged = K + b'tmp:TOKEN:'
    rests = (b'keys', b'data:3', b'idx:genre:pop', b'idx:year:1999')
    _, sent = trips(
        swap.reset_all([(song._validated(), objs)], b'TOKEN', lambda obj: None),
        *([b'OK', b'TOKEN'], [1, [b'TOKEN']], [None], [None], [[b'3']]),
        *(*[[1, None, None, []]] * 2, [None], [None]),
        *([[b'0', [b'1']], 1], [[b'rock', b'1999']], [[GENRE_ROCK, YEAR_1999]], [None]),
        *([[b'0', [staged + rest for rest in rests]], 1], [None], [None], [b'done', [b'']]),
        *([[b'0', [b'1']], 1], [[b'rock', b'1999']], [0, 1], [1, 1], [0, 1]),
    )
    assert sent[2:5] == [
        [('EVALSHA', 'other_type', 1, KEYS, b'set')],
        [('EVALSHA', 'other_type', 1, NEXT, b'string')],
        [('EVALSHA', 'claim', 2, NEXT, KEYS, DATA, 9, 3, 9)],
    ]
    assert sent[5][1:] == [
        ('WATCH', staged + b'refused', LOCK, staged + b'data:3', DATA + b'9'),
        ('EVAL', 'may_store', 3, staged + b'refused', LOCK, KEYS, b'TOKEN', 9),
        ('MULTI',),
        ('SADD', staged + b'brought', 9),
        ('SADD', staged + b'sets', staged + b'data:3'),
        ('HSET', staged + b'data:3', b'name', b'b', b'genre', b'pop', b'year', b'1999'),
        ('HSET', DATA + b'9', b'name', b'c', b'genre', b'pop', b'year', b'1999'),
        ('EXEC',),
    ]
    assert sent[6][4:] == [
        ('SADD', staged + b'sets', *(staged + rest for rest in (rests[0], *rests[2:]))),
        ('SADD', staged + b'keys', b'3', b'9'),
        ('SADD', staged + b'idx:genre:pop', b'3', b'9'),
        ('SADD', staged + b'idx:year:1999', b'3', b'9'),
        ('EXEC',),
    ]
    assert sent[11] == [('EVALSHA', 'large', 2, GENRE_ROCK, YEAR_1999, 0)]
    assert sent[14:17] == [
        [('EVALSHA', 'other_type', 3, GENRE_POP, YEAR_1999, KEYS, b'set')],
        [('EVALSHA', 'other_type', 1, DATA + b'3', b'hash')],
        [
            (
                *('EVALSHA', 'swap', 18, LOCK, RECORD, KEYS, staged + b'old', NEXT, SWAPPED),
                *(K + b'tmp:mirrored', TOUCHED, GENRE_ROCK, YEAR_1999),
                *(staged + b'data:3', DATA + b'3', staged + b'idx:genre:pop', GENRE_POP),
                *(staged + b'idx:year:1999', YEAR_1999, staged + b'keys', KEYS),
                *(b'TOKEN', 'swapped', '', 1, 2, 4, 9, 60_000, 0, 2),
            ),
            ('EVALSHA', 'records', 1, INCARNATIONS),
        ],
    ]
