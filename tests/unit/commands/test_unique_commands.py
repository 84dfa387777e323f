"""What a model with unique fields sends. The rule: as in ``test_commands.py``; a move into the
index set of a unique value has the score ``u``, and nothing else changes."""

from __future__ import annotations

import pytest

from IndexedRedis import IRField, UniqueError
from IndexedRedis._core.links import saving
from unit.build import define, load, number_draws
from unit.commands.test_commands import (
    DATA,
    INCARNATIONS,
    KEYS,
    LOCK,
    NEXT,
    RECORD,
    TOUCHED,
    K,
    packed,
    trips,
)

ROW = {'name': b'Hells Bells', 'album': b'Back', 'year': b'1980', 'note': b''}
MODEL = (KEYS, NEXT, LOCK, TOUCHED, RECORD, INCARNATIONS)
NULL = 'IRNullType()'
TOGETHER = K + b'idx:\xc3\x97album\xc3\x97year:'


def index(field, value):
    return K + f'idx:{field}:{value}'.encode()


@pytest.fixture
def song():
    fields = 'name', 'album', IRField('year', valueType=int), 'note'
    return define(*fields, UNIQUE_FIELDS=['name', ('album', 'year')])


def test_an_insert_sends_the_sets_of_unique_values_first(song):
    objs = [song(name='Hells Bells', album='Back', year=1980, note=''), song(note='x')]
    _, sent = trips(saving.save(song._validated(), objs, [None, None]), [[7, b'']], [1])
    nulls = [index(name, NULL) for name in ('name', 'album', 'year')]
    assert sent[1] == [
        (
            *('EVALSHA', 'insert_sorted', 15, KEYS, RECORD, TOUCHED, NEXT, INCARNATIONS),
            *(DATA + b'7', DATA + b'8'),
            *(index('name', 'Hells Bells'), TOGETHER + b'4:Back4:1980', nulls[0]),
            *(index('album', 'Back'), nulls[1], index('year', 1980), nulls[2]),
            TOGETHER + f'12:{NULL}12:{NULL}'.encode(),
            *(1, 2, 8, b'', b'7', b'8'),
            packed('name', 'Hells Bells', 'album', 'Back', 'year', '1980', 'note', ''),
            packed('name', NULL, 'album', NULL, 'year', NULL, 'note', 'x'),
            *(1, b'7', 1, b'7', 1, b'8', 1, b'7', 1, b'8', 1, b'7', 1, b'8', 1, b'8'),
            *(2, 0),
        )
    ]


def test_an_insert_of_one_object_does_so_too(song, monkeypatch):
    number_draws(monkeypatch, b'TOKEN', 5)
    obj = song(name='Hells Bells', album='Back', year=1980, note='')
    _, sent = trips(saving.save(song._validated(), [obj], [None]), [[7, b'', 1]])
    assert sent == [
        [
            (
                *('EVALSHA', 'insert_one_sorted', 10, NEXT, KEYS, INCARNATIONS),
                *(K + b'tmp:TOKEN:drawn', RECORD, TOUCHED),
                *(index('name', 'Hells Bells'), TOGETHER + b'4:Back4:1980'),
                *(index('album', 'Back'), index('year', 1980), 5, DATA, 2, 0),
                *(b'name', b'Hells Bells', b'album', b'Back', b'year', b'1980', b'note', b''),
            )
        ]
    ]


def test_nulls_are_not_unique(song):
    _, sent = trips(saving.save(song._validated(), [song(album='Back')], [None]), [[7, b'', 1]])
    command = sent[0][0]
    assert command[3 + command[2] :][1:4] == (DATA, 0, 0)


def test_an_update_of_a_unique_field(song):
    obj = load(song, 7, **ROW)
    obj.name = 'Shoot'
    _, sent = trips(saving.save(song._validated(), [obj], [None]), [[]])
    assert sent == [
        [
            (
                *('EVALSHA', 'write_sorted', 9, *MODEL, DATA + b'7'),
                *(index('name', 'Hells Bells'), index('name', 'Shoot')),
                *(1, 0, 1, 7, 'update', 1, b'name', b'=Hells Bells', b'u'),
                *(1, b'name', b'Shoot'),
            )
        ]
    ]


def test_an_update_of_one_of_several_fields_compares_all_of_them(song):
    obj = load(song, 7, **ROW)
    obj.year = 1981
    _, sent = trips(saving.save(song._validated(), [obj], [None]), [[]])
    album = index('album', 'Back')
    assert sent == [
        [
            (
                *('EVALSHA', 'write_sorted', 13, *MODEL, DATA + b'7', album, album),
                *(index('year', 1980), index('year', 1981)),
                *(TOGETHER + b'4:Back4:1980', TOGETHER + b'4:Back4:1981'),
                *(1, 0, 1, 7, 'update', 3, b'album', b'=Back', b''),
                *(b'year', b'=1980', b'', b'album', b'=Back', b'u', 1, b'year', b'1981'),
            )
        ]
    ]


def test_an_update_of_other_fields_sends_what_a_plain_model_sends(song):
    obj = load(song, 7, **ROW)
    obj.note = 'x'
    _, sent = trips(saving.save(song._validated(), [obj], [None]), [1])
    keys = (KEYS, RECORD, DATA + b'7', INCARNATIONS)
    assert sent == [[('EVALSHA', 'update_one', 4, *keys, 7, b'', 0, b'note', b'x')]]


def test_two_objects_of_a_list_with_one_value_are_refused_before_anything_is_stored(song):
    flow = saving.save(song._validated(), [song(name='a'), song(name='a')], [None, None])
    with pytest.raises(UniqueError, match='two objects of the list'):
        trips(flow, [[7, b'']])
