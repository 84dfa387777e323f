"""Keys under a model's names that hold something else. The rule: a write raises one error that
names the key, and writes nothing; once the key is gone, the same write works."""

from __future__ import annotations

import pytest
import redis
from support.keyspace import dump

from IndexedRedis import WrongKeyTypeError


@pytest.fixture
def song(make_model):
    return make_model(['title', 'artist'], indexed=['artist'])


def other_type(raw, key, kind):
    """Put what does not belong there under a key."""
    raw.delete(key)
    {'string': lambda: raw.set(key, 'x'), 'list': lambda: raw.rpush(key, 'x')}[kind]()


STRANGERS = ['keys', 'next', 'data:3', 'idx:artist:x']
WRITES = {
    'insert': lambda song: song(title='t', artist='x').save(),
    'bulk insert': lambda song: song.saver.save([song(artist='x'), song(artist='y')]),
    'forced pk': lambda song: song.saver.save(song(artist='x'), forceID=3),
    'reset': lambda song: song.reset([song(artist='x'), song(_id=3, artist='y')]),
}
DOES_NOT_TOUCH = {('bulk insert', 'data:3'), ('insert', 'data:3')}


@pytest.mark.parametrize('kind', ['string', 'list'])
@pytest.mark.parametrize('write', WRITES)
@pytest.mark.parametrize('key', STRANGERS)
def test_a_key_of_another_type_stops_a_write(song, raw, key, write, kind):
    if (write, key) in DOES_NOT_TOUCH or (kind, key) == ('string', 'next'):
        key, kind = 'next', 'list'
    song.saver.save([song(artist='a'), song(artist='b')])
    name = f'_ir_|{song.KEY_NAME}:{key}'
    saved = raw.dump(name)
    other_type(raw, name, kind)
    before = dump(raw)
    with pytest.raises(WrongKeyTypeError) as caught:
        WRITES[write](song)
    assert isinstance(caught.value, TypeError)
    assert str(caught.value).startswith(
        f'{song.__name__}: the key {name.encode()!r} holds a {kind}'
    )
    after = dump(raw)
    counter = f'_ir_|{song.KEY_NAME}:next'.encode()
    if key != 'next':  # a reserved pk may stay unused
        assert before.pop(counter) <= after.pop(counter)
    assert after == before
    raw.delete(name)
    if saved:
        raw.restore(name, 0, saved)
    WRITES[write](song)
    assert song.objects.filter(artist='x').count() == 1


@pytest.mark.parametrize('size', [0, 2])
def test_a_counter_of_another_type_stops_a_reset_that_needs_no_new_pk(song, raw, size):
    song.saver.save([song(artist='a'), song(artist='b')])
    name = f'_ir_|{song.KEY_NAME}:next'
    other_type(raw, name, 'list')
    before = dump(raw)
    with pytest.raises(WrongKeyTypeError, match=':next'):
        song.reset([song(_id=pk, artist='x') for pk in range(2, 2 + size)])
    assert dump(raw) == before
    raw.delete(name)
    raw.set(name, 2)


def test_a_counter_that_is_no_number(song, raw):
    raw.set(f'_ir_|{song.KEY_NAME}:next', 'x')
    with pytest.raises(WrongKeyTypeError, match=r':next.*no number'):
        song(artist='x').save()
    assert list(dump(raw).values()) == [b'x']
    raw.delete(f'_ir_|{song.KEY_NAME}:next')


@pytest.mark.parametrize('key', ['idx:artist:old', 'idx:artist:new', 'keys', 'data:1'])
def test_a_key_of_another_type_stops_updates_and_deletes(song, raw, key):
    song(title='t', artist='old').save()
    obj = song.objects.get(1)
    name = f'_ir_|{song.KEY_NAME}:{key}'
    saved = raw.dump(name)
    other_type(raw, name, 'string')
    obj.artist = 'new'
    before = dump(raw)
    with pytest.raises(WrongKeyTypeError, match=key):
        obj.save()
    if not key.endswith('new'):
        with pytest.raises(WrongKeyTypeError, match=key):
            obj.delete()
    assert dump(raw) == before
    assert obj.getUpdatedFields() == {'artist': ('old', 'new')}
    raw.delete(name)
    if saved:
        raw.restore(name, 0, saved)
    obj.save()
    assert song.objects.filter(artist='new').count() == 1


def test_a_key_of_another_type_is_told_by_the_server_when_read(song, raw):
    raw.set(f'_ir_|{song.KEY_NAME}:idx:artist:x', 'x')
    with pytest.raises(redis.ResponseError, match='WRONGTYPE'):
        song.objects.filter(artist='x').all()
    raw.delete(f'_ir_|{song.KEY_NAME}:idx:artist:x')
