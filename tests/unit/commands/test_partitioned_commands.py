"""What a model with partitions sends, command by command. The rule: as in `test_commands.py`, the
expected commands are written out; one list is one trip."""

from __future__ import annotations

import pytest

from IndexedRedis import IRField
from IndexedRedis._core.partitions import reading, saving, writing
from IndexedRedis._core.partitions.editions.fence import Edition
from IndexedRedis._core.partitions.editions.known import learn
from IndexedRedis._core.partitions.queries import verbs
from IndexedRedis.executors.recording import RecordingExecutor
from unit.build import define, load

POINTER = b'_ir_|Song:keys:edition'
TAGS = (b'3.0', b'3.1', b'3.11')
# The keys of partition 1: what all editions share, and edition 7.
SHARED, OWN = b'_ir_|{3.1}:keys:0:Song:', b'_ir_|{3.1}:keys:7:Song:'
FENCE, KEPT = SHARED + b'keys:edition', OWN + b'keys:edition'
OPEN = b'7 3'
LOOK = ('GET', FENCE)
MARKS = ('MGET', FENCE, KEPT)


@pytest.fixture
def song():
    """A model of three partitions, whose edition 7 this process knows."""
    model = define(
        'name', 'genre', IRField('year', valueType=int), indexed=['genre', 'year'], PARTITIONS=3
    )
    learn(model._validated(), Edition(7, 3))
    return model


def trips(flow, *replies):
    executor = RecordingExecutor(replies)
    return executor.run(flow), executor.trips


def test_a_save_of_a_new_object_touches_one_slot(song, monkeypatch):
    monkeypatch.setattr(saving, 'randrange', lambda limit: 1)
    obj = song(name='a', genre='rock', year=1999)
    _, sent = trips(saving.save_parts(obj._schema, [obj]), [[4, b'id'], OPEN], [1, OPEN])
    names = [OWN + b'keys', OWN + b'tmp:resets', OWN + b'tmp:touched', SHARED + b'next']
    names += [SHARED + b'tmp:incarnations', OWN + b'data:4']
    names += [OWN + b'idx:genre:rock', OWN + b'idx:year:1999', FENCE]
    packed = b'\xdd\0\0\0\x06\xa4name\xa1a\xa5genre\xa4rock\xa4year\xa41999'
    counts = (1, 1, 2, b'id', b'4', packed, 1, b'4', 1, b'4')
    assert sent == [
        [
            (
                *('EVALSHA', 'reserve_fenced', 4, SHARED + b'next', OWN + b'keys'),
                *(SHARED + b'tmp:incarnations', FENCE, 1, 0, 1000, 3, 1, OPEN),
            ),
            LOOK,
        ],
        [('EVALSHA', 'insert_fenced', 9, *names, *counts, OPEN), LOOK],
    ]
    assert obj._id == 4


def test_an_update_of_one_object_touches_one_slot(song):
    obj = load(song, 4, name=b'a', genre=b'rock', year=b'1999')
    obj.year = 2000
    _, sent = trips(saving.save_parts(obj._schema, [obj]), [[[]], OPEN])
    names = [OWN + b'keys', OWN + b'tmp:resets', OWN + b'data:4', SHARED + b'tmp:incarnations']
    names += [OWN + b'idx:year:1999', OWN + b'idx:year:2000', FENCE]
    values = (4, b'', 1, b'year', b'1999', b'year', b'2000')
    assert sent == [[('EVALSHA', 'update_one_fenced', 7, *names, *values, OPEN), LOOK]]


def test_a_delete_touches_one_slot(song):
    obj = load(song, 4, name=b'a', genre=b'rock', year=b'1999')
    count, sent = trips(writing.delete_objects(song._validated(), [obj]), [1, OPEN])
    names = [OWN + b'keys', OWN + b'tmp:lock', OWN + b'tmp:resets', SHARED + b'tmp:incarnations']
    names += [OWN + b'data:4', OWN + b'idx:genre:rock', OWN + b'idx:year:1999', FENCE]
    values = (1, 2, b'genre', b'year', 0, b'4', b'=rock', b'=1999', 1, b'4', 1, b'4', OPEN)
    assert (count, obj._id) == (1, None)
    assert sent == [[('EVALSHA', 'delete_fenced', 8, *names, *values), LOOK]]


def test_get_asks_one_partition_and_the_pointer(song):
    schema = song._validated()
    row = [b'a', b'rock', b'1999']
    (found, sent) = trips(
        reading.get_one(schema, 4, schema.all), [OPEN], [1, row, [None], [OPEN, b'1']]
    )
    assert (found._id, found.year) == (4, 1999)
    assert sent == [
        [
            ('GET', POINTER),
            ('SISMEMBER', OWN + b'keys', b'4'),
            ('HMGET', OWN + b'data:4', b'name', b'genre', b'year'),
            ('MGET', SHARED + b'tmp:incarnations'),
            MARKS,
        ]
    ]


def test_the_count_of_a_filter_asks_all_partitions_in_one_trip(song):
    flow = verbs.count_part(song.objects.filter(genre='rock')._query)
    count, (sent,) = trips(flow, [OPEN], *[[0, number, 0, [OPEN, b'1']] for number in (2, 0, 3)])
    assert count == 5
    assert sent[0] == ('GET', POINTER)
    expected = []
    for tag in TAGS:
        own, fence = (b'_ir_|{%b}:keys:%d:Song:' % (tag, edition) for edition in (7, 0))
        expected += [
            ('EXISTS', own + b'tmp:resets'),
            ('SCARD', own + b'idx:genre:rock'),
            ('EXISTS', own + b'tmp:resets'),
            ('MGET', fence + b'keys:edition', own + b'keys:edition'),
        ]
    assert sent[1:] == expected
