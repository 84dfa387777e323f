"""What a model with sorted fields sends. The rule: as in ``test_commands.py``; beside the index
sets, each write sends a score for each sorted field that it writes."""

from __future__ import annotations

import pytest

from IndexedRedis import IRField
from IndexedRedis._core.bulk import delete, recovery, reindex
from IndexedRedis._core.bulk import insert as bulk_insert
from IndexedRedis._core.integrity import probe
from IndexedRedis._core.links import saving
from IndexedRedis._core.resets import swap
from IndexedRedis._core.script import load_all
from IndexedRedis._core.writes import sizes
from IndexedRedis._core.writes.scripts import WRITE
from unit.build import define, load, number_draws
from unit.commands.test_commands import (
    DATA,
    GENRE_POP,
    GENRE_ROCK,
    INCARNATIONS,
    KEYS,
    LOCK,
    NEXT,
    RECORD,
    TMP,
    TOUCHED,
    K,
    packed,
    query,
    trips,
)

BY_YEAR, BY_NAME = K + b'keys:sorted:year', K + b'keys:sorted:name'
GENRE_NULL = K + b'idx:genre:IRNullType()'
HELLS = b'%d' % int.from_bytes(b'Hells ', 'big')
MODEL = (*('EVALSHA', 'write_sorted'), KEYS, NEXT, LOCK, TOUCHED, RECORD, INCARNATIONS)
ROW = {'name': b'Hells Bells', 'genre': b'rock', 'year': b'1999'}


@pytest.fixture
def song():
    fields = 'name', 'genre', IRField('year', valueType=int)
    return define(*fields, indexed=['genre'], SORTED_FIELDS=['name', 'year'])


def test_an_insert_of_one_object_sends_its_scores(song, monkeypatch):
    number_draws(monkeypatch, b'TOKEN', 5)
    obj = song(name='Hells Bells', genre='rock', year=1999)
    _, sent = trips(saving.save(song._validated(), [obj], [None]), [[7, b'', 1]])
    assert sent == [
        [
            (
                *('EVALSHA', 'insert_one_sorted', 9, NEXT, KEYS, INCARNATIONS),
                *(K + b'tmp:TOKEN:drawn', RECORD, TOUCHED, GENRE_ROCK, BY_NAME, BY_YEAR),
                *(5, DATA, 0, 2, HELLS, b'1999'),
                *(b'name', b'Hells Bells', b'genre', b'rock', b'year', b'1999'),
            )
        ]
    ]


def test_an_insert_fills_the_sorted_sets_too(song):
    objs = [song(name='Hells Bells', genre='rock', year=1999), song(genre='rock')]
    _, sent = trips(saving.save(song._validated(), objs, [None, None]), [[7, b'']], [1])
    assert sent[1] == [
        (
            *('EVALSHA', 'insert_sorted', 10, KEYS, RECORD, TOUCHED, NEXT, INCARNATIONS),
            *(DATA + b'7', DATA + b'8', GENRE_ROCK, BY_NAME, BY_YEAR),
            *(1, 2, 1, b'', b'7', b'8'),
            packed('name', 'Hells Bells', 'genre', 'rock', 'year', '1999'),
            packed('name', 'IRNullType()', 'genre', 'rock', 'year', 'IRNullType()'),
            *(2, b'7', b'8'),
            *(0, 2, 4, HELLS, b'7', b'inf', b'8', 4, b'1999', b'7', b'inf', b'8'),
        )
    ]


def test_an_update_of_a_sorted_field_needs_no_expected_value(song):
    obj = load(song, 7, **ROW)
    obj.year = 2000
    _, sent = trips(saving.save(song._validated(), [obj], [None]), [0], [[]])
    assert sent == [
        [
            (
                *('EVALSHA', 'update_one_sorted', 5, KEYS, RECORD, DATA + b'7', INCARNATIONS),
                *(BY_YEAR, 7, b'', b'0 2000', b'year', b'2000'),
            )
        ],
        [
            (
                *(*MODEL[:2], 9, *MODEL[2:], DATA + b'7', BY_YEAR, BY_YEAR),
                *(1, 0, 1, 7, 'update', 1, b'year', b'*', b'2000', 1, b'year', b'2000'),
            )
        ],
    ]


def test_an_update_of_an_indexed_and_a_sorted_field_compares_the_indexed_one(song):
    obj = load(song, 7, **ROW)
    obj.genre, obj.year = 'pop', None
    _, sent = trips(saving.save(song._validated(), [obj], [None]), [1])
    assert sent == [
        [
            (
                *('EVALSHA', 'update_one_sorted', 7, KEYS, RECORD, DATA + b'7', INCARNATIONS),
                *(GENRE_ROCK, GENRE_POP, BY_YEAR, 7, b'', b'1 inf', b'genre', b'rock'),
                *(b'genre', b'pop', b'year', b'IRNullType()'),
            )
        ]
    ]


def test_an_update_of_other_fields_sends_what_a_plain_model_sends(song):
    obj = load(song, 7, **ROW)
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


def test_a_put_moves_index_sets_and_scores(song):
    _, sent = trips(saving.save(song._validated(), [song(genre='pop', year=5)], [7]), [[]])
    assert sent == [
        [
            (
                *(*MODEL[:2], 13, *MODEL[2:], DATA + b'7', GENRE_NULL, GENRE_POP),
                *(BY_NAME, BY_NAME, BY_YEAR, BY_YEAR),
                *(1, 0, 1, 7, 'put', 3, b'genre', b'-', b''),
                *(b'name', b'*', b'inf', b'year', b'*', b'5'),
                *(3, b'name', b'IRNullType()', b'genre', b'pop', b'year', b'5'),
            )
        ]
    ]


def test_a_delete_removes_pks_from_the_sorted_sets_whatever_the_scores(song):
    obj = load(song, 7, **ROW)
    _, sent = trips(delete.delete_objects(song._validated(), [obj]), [1])
    assert sent == [
        [
            (
                *('EVALSHA', 'delete_sorted', 8, KEYS, LOCK, RECORD, INCARNATIONS),
                *(BY_NAME, BY_YEAR, DATA + b'7', GENRE_ROCK),
                *(1, 1, b'genre', 0, b'7', b'=rock', 1, b'7', 2),
            )
        ]
    ]


def test_a_reindex_compares_what_it_scores(song):
    row = [ROW['name'], ROW['genre'], ROW['year']]
    _, sent = trips(reindex.reindex_matching(query(song)), [[b'0', [b'7']]], [[1], row], [[]])
    assert sent[1][1] == ('HMGET', DATA + b'7', b'name', b'genre', b'year')
    assert sent[2] == [
        (
            *(*MODEL[:2], 13, *MODEL[2:], DATA + b'7', GENRE_ROCK, GENRE_ROCK),
            *(BY_NAME, BY_NAME, BY_YEAR, BY_YEAR),
            *(1, 0, 1, 7, 'update', 3, b'genre', b'=rock', b''),
            *(b'name', b'=Hells Bells', HELLS, b'year', b'=1999', b'1999'),
            0,
        )
    ]


def test_a_reindex_scores_what_the_script_found_instead(song):
    row = [ROW['name'], ROW['genre'], ROW['year']]
    stale = [[1, b'stale', [ROW['genre'], ROW['name'], b'2000']]]
    _, sent = trips(
        reindex.reindex_matching(query(song)), [[b'0', [b'7']]], [[1], row], [stale], [[]]
    )
    assert sent[3][0][-7:-1] == (b'name', b'=Hells Bells', HELLS, b'year', b'=2000', b'2000')


def test_a_long_list_gets_its_scores_before_it_is_published(song, monkeypatch):
    monkeypatch.setattr(sizes, 'SCRIPT_US', 2)
    monkeypatch.setattr(bulk_insert, 'new_token', lambda: b'TOKEN')
    objs = [song(name=name, genre='rock', year=1999) for name in 'ab']
    _, sent = trips(
        saving.save(song._validated(), objs, [None, None]),
        *([[7, b'']], [b'OK', b'TOKEN'], [1, [b'TOKEN']], [None], *[[1, None, None, []]] * 3),
        *([None, None, []], [0, 1]),
    )
    a, b = (b'%d' % (ord(each) << 40) for each in 'ab')
    assert sent[3] == [('EVALSHA', 'other_type', 2, BY_NAME, BY_YEAR, b'zset')]
    assert sent[5][2:] == [
        ('EVAL', 'may_store', 3, TMP + b'TOKEN:refused', LOCK, KEYS, b'TOKEN'),
        ('MULTI',),
        ('ZADD', BY_NAME, a, b'7', b, b'8'),
        ('ZADD', BY_YEAR, b'1999', b'7', b'1999', b'8'),
        ('EXEC',),
    ]
    assert sent[6][2][0:4] == ('EVAL', 'may_store', 4, TMP + b'TOKEN:refused')
    assert sent[7][4][:3] == ('EVAL', 'publish', 2)


def test_a_reset_stages_sorted_sets_and_moves_them_in_the_swap(song):
    objs = [song(name='a', genre='pop', year=2000)]
    staged = K + b'tmp:TOKEN:'
    rests = (b'keys', b'idx:genre:pop', b'keys:sorted:name', b'keys:sorted:year')
    listed = [staged + rest for rest in rests]
    _, sent = trips(
        swap.reset_all([(song._validated(), objs)], b'TOKEN', lambda obj: None),
        *([b'OK', b'TOKEN'], [1, [b'TOKEN']], [[7, b'']]),
        *(*[[1, None, None, []]] * 3, *[[None]] * 3),
        *([0], [[b'0', listed], 1], [[1, []], 1], [None], [b'done', [b'']]),
        *([[b'0', [b'1']], 1], [[b'rock']], [0, 1], [1, 1], [0, 1]),
    )
    assert sent[5][4:] == [
        ('SADD', staged + b'sets', *listed[2:]),
        ('ZADD', listed[2], b'%d' % (ord('a') << 40), b'7'),
        ('ZADD', listed[3], b'2000', b'7'),
        ('EXEC',),
    ]
    assert sent[8] == [('EVALSHA', 'other_type', 2, BY_NAME, BY_YEAR, b'zset')]
    # The others are replaced as they are: what they hold is of no use.
    assert sent[12] == [('EVALSHA', 'other_type', 1, KEYS, b'set')]
    assert sent[13][0] == (
        *('EVALSHA', 'swap', 16, LOCK, RECORD, KEYS, staged + b'old', NEXT, K + b'tmp:swapped'),
        *(K + b'tmp:mirrored', TOUCHED, BY_NAME, BY_YEAR),
        *(listed[2], BY_NAME, listed[3], BY_YEAR, listed[0], KEYS),
        *(b'TOKEN', 'swapped', '', 1, 2, 3, 7, 0, 1000, 1),
    )
    # The sorted sets that were replaced list no old pks.
    retired = [command[1] for command in sent[16]]
    assert retired == ['prune', 'retire', 'hold']


def test_what_a_dead_writer_left_is_removed_from_sorted_sets(song):
    flow = recovery.sweep(song._validated(), b'T', replaced=())
    _, sent = trips(flow, [[b'0', [b'7', b'8']]], [[b'rock'], [b'rock']], [1, 1, 1], [1, 1])
    assert [command[1] for command in sent[2]] == ['prune', 'unsort', 'retire']
    assert sent[2][1] == (
        *('EVALSHA', 'unsort', 4, KEYS, RECORD, BY_NAME, BY_YEAR),
        *(b'T', b'7', b'8'),
    )


def test_a_probe_of_scores(song):
    schema = song._validated()
    flow = probe.probe_entries(schema, [probe.Probe(b'7', schema.sorted, schema.sorted_keys)])
    row = [b'Hells Bells', b'1999']
    findings, sent = trips(flow, [[[1, -1, row, [1, 1], [HELLS, b'1998']]]])
    assert sent == [
        [
            (
                *('EVALSHA', 'look_sorted', 4, KEYS, RECORD, BY_NAME, BY_YEAR),
                *(DATA, TMP, b'7', 2, 2, b'name', b'year'),
            )
        ]
    ]
    assert [str(each) for each in findings] == [
        f"{BY_YEAR.decode()} has another score for pk 7 than its year has, stored as '1999'"
    ]


def test_each_pair_has_two_texts(song):
    plain, other = WRITE.of(()), WRITE.of([song])
    assert (plain.name, other.name) == ('write', 'write_sorted')
    assert b'ZADD' in other.text and b'ZADD' not in plain.text
    names = {script.name for script in load_all()}
    assert {'write_sorted', 'insert_sorted', 'merge_sorted', 'delete_step_sorted'} <= names
    for script in load_all():
        assert not any(line.startswith((b'+ ', b'- ')) for line in script.text.splitlines())
