"""The judge of partitioned models judged: sound data pass, and damage done by hand is named."""

from __future__ import annotations

import pytest

from judge.checker import Shape, check_shape

SONG = Shape('Song', {b'artist': False}, partitions=3, partition_by=b'artist')
UNIQUE = Shape('Song', {b'artist': False}, {}, ((b'artist',),), 3, b'artist')
ALBUM = Shape('Song:Album', {}, partitions=3)
# The hash tags of three partitions; crc32 of the artist leads to 0, 1, 2.
TAGS = ('3.0', '3.1', '3.11')
SONGS = {3: 'Abba', 4: 'AC/DC', 5: 'Queen', 6: 'x'}


def key(number, rest, edition=2):
    return f'_ir_|{{{TAGS[number]}}}:keys:{edition}:Song:{rest}'


@pytest.fixture
def songs(raw):
    """Four objects as the library would leave them, in edition 2."""
    raw.set('_ir_|Song:keys:edition', '2 3')
    raw.hset('_ir_|Song:tmp:editions', mapping={'last': 2, 'by': 'artist'})
    for number, counter in enumerate((6, 4, 5)):
        raw.set(key(number, 'next', 0), counter)
        raw.set(key(number, 'tmp:incarnations', 0), 'x')
        raw.set(key(number, 'keys:edition', 0), '2 3')
        raw.set(key(number, 'keys:edition'), 1)
    for pk, artist in SONGS.items():
        raw.hset(key(pk % 3, f'data:{pk}'), mapping={'artist': artist})
        raw.sadd(key(pk % 3, 'keys'), pk)
        raw.sadd(key(pk % 3, f'idx:artist:{artist}'), pk)
    return raw


def test_nothing_at_all_is_sound(raw):
    assert check_shape(raw, SONG) == []


SOUND = [
    'PING',
    'SET _ir_|{3.0}:keys:0:Other:next 1',
    'SET _ir_|Songs:next 1',
    'SET _ir_|Song:tmp:lock x EX 30',
    f'SET {key(1, "tmp:lock")} x EX 30',
    f'SET {key(1, "data:1", 1)} x EX 30',
    f'SET {key(1, "keys:edition", 1)} x EX 30',
    # What another number of partitions has left.
    'SET _ir_|{6.2}:keys:0:Song:next 9',
    'SET _ir_|Song:tmp:mirrored x',
]


@pytest.mark.parametrize('command', SOUND)
def test_sound_data_pass(songs, command):
    songs.execute_command(*command.split(' '))
    assert check_shape(songs, SONG) == []


DAMAGE = {
    'SET _ir_|Song:keys:edition 3': 'the pointer holds 3',
    'SET _ir_|Song:keys:edition 3 3': 'the fence of partition 0 is 2 3, not 3 3',
    'SET _ir_|Song:keys:edition 2 2': 'the fence of partition 0 is absent, not 2 2',
    'DEL _ir_|Song:keys:edition': 'there are partitions and no pointer',
    'EXPIRE _ir_|Song:keys:edition 9': '_ir_|Song:keys:edition will expire',
    'SET _ir_|Song:next 4': 'key _ir_|Song:next is not in a partition',
    'SADD _ir_|Song:idx:artist:x 6': 'key _ir_|Song:idx:artist:x is not in a partition',
    'SET _ir_|Song:tmp:lock x': 'work key _ir_|Song:tmp:lock never expires',
    'HSET _ir_|Song:tmp:editions 3 staged': 'edition 3 is still on record',
    'HSET _ir_|Song:tmp:editions last 1': 'the last edition on record is 1, and 2 exists',
    'HSET _ir_|Song:tmp:editions by name': 'the partitions follow name, says the record',
    'DEL _ir_|Song:tmp:editions': 'the last edition on record is absent, and 2 exists',
    f'DEL {key(1, "keys:edition", 0)}': 'the fence of partition 1 is absent, not 2 3',
    f'SET {key(1, "keys:edition", 0)} 1 3': 'the fence of partition 1 is 1 3, not 2 3',
    f'SET {key(1, "keys:edition", 0)} 2 3>3 3 t': 'the fence of partition 1 is 2 3>3 3 t, not 2 3',
    f'EXPIRE {key(1, "keys:edition", 0)} 9': f'{key(1, "keys:edition", 0)} will expire',
    f'DEL {key(1, "keys:edition")}': 'partition 1 has no mark of edition 2',
    f'EXPIRE {key(1, "keys:edition")} 9': f'{key(1, "keys:edition")} will expire',
    f'SADD {key(1, "keys", 0)} 4': f'unknown key {key(1, "keys", 0)}',
    f'SADD {key(1, "keys", 1)} 4': f'{key(1, "keys", 1)} is of no edition that is true, and stays',
    f'SADD {key(1, "keys", 3)} 4': f'{key(1, "keys", 3)} is of no edition that is true, and stays',
    'SADD _ir_|{3.9}:keys:2:Song:keys 4': (
        '_ir_|{3.9}:keys:2:Song:keys is of no edition that is true, and stays'
    ),
    f'SET {key(1, "next")} 9': f'unknown key {key(1, "next")}',
    f'SET {key(0, "next", 0)} 5': 'partition 0: :next is 5, but pk 6 is in use',
    f'DEL {key(0, "next", 0)}': 'partition 0: :next is absent, but pk 6 is in use',
    f'SREM {key(2, "idx:artist:Queen")} 5': (
        'partition 2: object 5 is missing from index set artist:Queen'
    ),
    f'SREM {key(1, "keys")} 4': (
        'partition 1: index set artist:AC/DC lists 4, which is not in :keys'
    ),
    f'SADD {key(0, "keys")} 9': 'partition 0: object 9 is in :keys but has no data',
    f'SADD {key(0, "keys")} 7': 'partition 0: pk 7 belongs to partition 1',
    f'HSET {key(0, "data:8")} artist x': 'partition 0: pk 8 belongs to partition 2',
    f'HSET {key(0, "data:6")} artist Queen': (
        'partition 0: 6 stores Queen, which leads to partition 2'
    ),
    f'SET {key(0, "tmp:lock")} x': f'partition 0: work key {key(0, "tmp:lock")} never expires',
    f'EXPIRE {key(0, "keys")} 9': f'partition 0: {key(0, "keys")} will expire',
}


@pytest.mark.parametrize('command', DAMAGE)
def test_damage_is_found(songs, command):
    name, *arguments = command.split(' ', 2)  # values of SET have spaces
    if name not in ('SET', 'DEL'):
        arguments = command.split(' ')[1:]
    songs.execute_command(name, *arguments)
    assert f'Song: {DAMAGE[command]}' in check_shape(songs, SONG)


def test_unique_values_are_compared_across_partitions(songs):
    assert check_shape(songs, UNIQUE) == []
    songs.hset(key(1, 'data:4'), 'artist', 'Queen')
    songs.delete(key(1, 'idx:artist:AC/DC'))
    songs.sadd(key(1, 'idx:artist:Queen'), 4)
    assert check_shape(songs, UNIQUE)[-1] == 'Song: objects 4 and 5 have the same artist'


def test_keys_of_a_model_below_are_its_own(songs):
    songs.set('_ir_|{3.0}:keys:1:Song:Album:keys', 1)
    assert check_shape(songs, SONG, [ALBUM]) == []
    assert len(check_shape(songs, SONG)) == 1
    assert check_shape(songs, ALBUM, [SONG]) == ['Song:Album: there are partitions and no pointer']


def test_what_the_record_names_may_wait(songs):
    songs.hset('_ir_|Song:tmp:editions', mapping={'3': 'staged 3', 'last': '4'})
    songs.sadd(key(1, 'keys', 3), 4)
    songs.set(key(1, 'keys:edition', 0), '2 3>3 3 t')
    assert len(check_shape(songs, SONG)) == 2
    assert check_shape(songs, SONG, pending=True) == []
    songs.sadd(key(1, 'keys', 4), 4)
    assert check_shape(songs, SONG, pending=True) == [
        f'Song: {key(1, "keys", 4)} is of no edition that is true, and stays'
    ]
