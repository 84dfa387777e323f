"""The judge judged: sound data pass, and each kind of damage, done by hand, is found and named."""

from __future__ import annotations

from typing import ClassVar

import pytest

from judge.checker import Shape, check_model, check_shape

RED = 'bda9643ac6601722a28f238714274da4'  # md5 of `red`
SONG = Shape('Song', {b'artist': False, b'colour': True})
SORTED = Shape('Song', SONG.indexes, {b'name': lambda stored, score: (stored, score) == (b'x', 5)})
ALBUM = Shape('Song:Album', {})


@pytest.fixture
def songs(raw):
    """Two objects as the library would leave them."""
    for pk, artist in ((1, 'Abba'), (2, '')):
        raw.hset(f'_ir_|Song:data:{pk}', mapping={'artist': artist, 'colour': 'red', 'name': 'x'})
        raw.sadd('_ir_|Song:keys', pk)
        raw.sadd(f'_ir_|Song:idx:artist:{artist}', pk)
        raw.sadd(f'_ir_|Song:idx:colour:{RED}', pk)
    raw.set('_ir_|Song:next', 2)
    return raw


def test_nothing_at_all_is_sound(raw):
    assert check_shape(raw, SONG) == []


@pytest.mark.parametrize(
    'command',
    [
        None,
        'SET _ir_|Songs:other 1',
        'SET _ir_|Song:next 9',
        'HDEL _ir_|Song:data:1 name',
        'HSET _ir_|Song:data:1 unknown x',
        'SET _ir_|Song:tmp:lock x EX 30',
    ],
)
def test_sound_data_pass(songs, command):
    if command:
        songs.execute_command(*command.split(' '))
    assert check_shape(songs, SONG) == []


def test_a_row_in_its_grace_time_is_sound(songs):
    songs.hset('_ir_|Song:data:1', 'artist', 'Abba')
    songs.srem('_ir_|Song:keys', 1)
    songs.srem('_ir_|Song:idx:artist:Abba', 1)
    songs.srem(f'_ir_|Song:idx:colour:{RED}', 1)
    songs.expire('_ir_|Song:data:1', 10)
    assert check_shape(songs, SONG) == []


def test_a_field_the_hash_lacks_may_be_listed_or_not(songs):
    songs.hdel('_ir_|Song:data:1', 'artist')
    assert check_shape(songs, SONG) == []
    songs.delete('_ir_|Song:idx:artist:Abba')
    assert check_shape(songs, SONG) == []


DAMAGE = {
    'SREM _ir_|Song:idx:artist:Abba 1': 'object 1 is missing from index set artist:Abba',
    f'SREM _ir_|Song:idx:colour:{RED} 2': f'object 2 is missing from index set colour:{RED}',
    'SREM _ir_|Song:idx:artist: 2': 'object 2 is missing from index set artist:',
    'SADD _ir_|Song:idx:artist:Queen 1': 'index set artist:Queen lists 1, which stores Abba',
    'SADD _ir_|Song:idx:colour:red 1': 'index set colour:red lists 1, which stores red',
    'SADD _ir_|Song:idx:artist:Abba 7': 'index set artist:Abba lists 7, which is not in :keys',
    'SADD _ir_|Song:idx:artist:Abba x': 'index set artist:Abba lists x, which is not in :keys',
    'SADD _ir_|Song:idx:name:x 1': 'index set name:x belongs to no indexed field',
    'HSET _ir_|Song:data:1 artist \xe9': 'index set artist:Abba lists 1, which stores é',
    'SADD _ir_|Song:keys 2 02': ':keys holds 02, which is no pk',
    'SADD _ir_|Song:keys 5': 'object 5 is in :keys but has no data',
    'DEL _ir_|Song:data:1': 'object 1 is in :keys but has no data',
    'EXPIRE _ir_|Song:data:1 60': 'object 1 is in :keys but its data will expire',
    'SREM _ir_|Song:keys 2': 'data of 2 is there for ever, but 2 is not in :keys',
    'HSET _ir_|Song:data:3 name x': 'data of 3 is there for ever, but 3 is not in :keys',
    'HSET _ir_|Song:data:x name x': 'unknown key _ir_|Song:data:x: it does not end in a pk',
    'SET _ir_|Song:next 1': ':next is 1, but pk 2 is in use',
    'DEL _ir_|Song:next': ':next is absent, but pk 2 is in use',
    'SET _ir_|Song:next many': ':next holds many, which is no number',
    'SET _ir_|Song:next 9007199254740992': ':next holds 9007199254740992, which leaves no pk',
    'EXPIRE _ir_|Song:keys 60': '_ir_|Song:keys will expire',
    'EXPIRE _ir_|Song:next 60': '_ir_|Song:next will expire',
    'EXPIRE _ir_|Song:idx:artist:Abba 60': '_ir_|Song:idx:artist:Abba will expire',
    'SET _ir_|Song:keys x': '_ir_|Song:keys is a string, not a set',
    'SET _ir_|Song:data:1 x': '_ir_|Song:data:1 is a string, not a hash',
    'SET _ir_|Song:idx:artist:Abba x': '_ir_|Song:idx:artist:Abba is a string, not a set',
    'SADD _ir_|Song:keys__0a1b 1': 'unknown key _ir_|Song:keys__0a1b',
    'SET _ir_|Song:keys:x 1': 'unknown key _ir_|Song:keys:x',
    'SET _ir_|Song:data 1': 'unknown key _ir_|Song:data',
    'SET _ir_|Song:Album:next 1': 'unknown key _ir_|Song:Album:next',
    'SET _ir_|Song:tmp:lock x': 'work key _ir_|Song:tmp:lock never expires',
    'HSET _ir_|Song:tmp:resets t1 x': 'work key _ir_|Song:tmp:resets never expires',
    'SADD _ir_|Song:tmp:t1:keys 7': 'work key _ir_|Song:tmp:t1:keys never expires',
}


@pytest.mark.parametrize('command', DAMAGE)
def test_damage_is_found(songs, command):
    songs.execute_command(*(DELETE_FIRST.get(command, 'PING')).split(' '))
    songs.execute_command(*command.split(' '))
    assert f'Song: {DAMAGE[command]}' in check_shape(songs, SONG)


DELETE_FIRST = {
    command: f'DEL {command.split(" ")[1]}' for command in DAMAGE if ' is a ' in DAMAGE[command]
}


SORTED_DAMAGE = {
    'ZREM _ir_|Song:keys:sorted:name 1': 'object 1 is missing from sorted set name',
    'ZADD _ir_|Song:keys:sorted:name 6 1': 'sorted set name lists 1 at 6, which stores x',
    'HSET _ir_|Song:data:1 name y': 'sorted set name lists 1 at 5, which stores y',
    'ZADD _ir_|Song:keys:sorted:name 5 7': 'sorted set name lists 7, which is not in :keys',
    'ZADD _ir_|Song:keys:sorted:artist 5 1': 'sorted set artist belongs to no sorted field',
    'EXPIRE _ir_|Song:keys:sorted:name 60': '_ir_|Song:keys:sorted:name will expire',
    'SADD _ir_|Song:keys:sorted:other 1': '_ir_|Song:keys:sorted:other is a set, not a zset',
}


def test_sound_sorted_sets_pass(songs):
    songs.zadd('_ir_|Song:keys:sorted:name', {1: 5, 2: 5})
    assert check_shape(songs, SORTED) == []


@pytest.mark.parametrize('command', SORTED_DAMAGE)
def test_damage_of_sorted_sets_is_found(songs, command):
    songs.zadd('_ir_|Song:keys:sorted:name', {1: 5, 2: 5})
    songs.execute_command(*command.split(' '))
    assert f'Song: {SORTED_DAMAGE[command]}' in check_shape(songs, SORTED)


def test_keys_of_a_model_below_are_its_own(songs):
    songs.set('_ir_|Song:Album:next', 1)
    assert check_shape(songs, SONG, [ALBUM]) == []
    assert check_shape(songs, ALBUM, [SONG]) == []


def test_what_a_killed_reset_staged_may_wait(songs):
    songs.hset('_ir_|Song:tmp:resets', 't1', '3 4')
    songs.sadd('_ir_|Song:tmp:t1:keys', 3)
    songs.hset('_ir_|Song:data:3', 'artist', 'Queen')
    songs.incrby('_ir_|Song:next', 2)
    assert len(check_shape(songs, SONG)) == 3
    assert check_shape(songs, SONG, pending=True) == []
    songs.sadd('_ir_|Song:tmp:t2:keys', 3)
    assert check_shape(songs, SONG, pending=True) == [
        'Song: work key _ir_|Song:tmp:t2:keys never expires'
    ]


class PlainModel:
    """What the checker reads of a model, and no more."""

    class Field:
        name = 'colour'
        isIndexHashed = True

    KEY_NAME = 'Song'
    FIELDS: ClassVar = ['artist', Field, 'name']
    INDEXED_FIELDS: ClassVar = ['artist', 'colour']


def test_models_are_read(songs):
    assert check_model(songs, PlainModel) == []
    songs.srem(f'_ir_|Song:idx:colour:{RED}', 1)
    assert check_model(songs, PlainModel) == [
        f'Song: object 1 is missing from index set colour:{RED}'
    ]
