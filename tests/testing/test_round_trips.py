"""Round trips are counted as they are made, in threads and tasks alike, and shown readably."""

from __future__ import annotations

import asyncio
import threading

import pytest
import redis

import IndexedRedis as IR
from IndexedRedis import IRField
from IndexedRedis.executors import exchange, recording
from IndexedRedis.testing import assertNumRoundTrips, recordTrips


@pytest.fixture
def song(make_model):
    return make_model([IRField('title'), IRField('artist')], indexed=['artist'])


def failure(number, act):
    with pytest.raises(AssertionError) as caught, assertNumRoundTrips(number):
        act()
    return str(caught.value)


def test_the_right_number_passes(song):
    with assertNumRoundTrips(0):
        query = song.objects.filter(artist='Abba')
    with assertNumRoundTrips(1) as trips:
        assert query.all() == []
    assert [[command[:2] for command in trip] for trip in trips] == [[('EVALSHA', 'find')]]


def test_a_loop_that_asks_for_each_object_is_found(song):
    song.saver.save([song(title=str(number)) for number in range(3)])
    text = failure(1, lambda: [song.objects.get(pk) for pk in (1, 2, 3)])
    lines = text.split('\n')
    assert lines[0] == '1 round trip expected, 3 made:'
    numbered = [line for line in lines if line.startswith(('  1. ', '  2. ', '  3. '))]
    assert len(numbered) == 3
    assert f'_ir_|{song.KEY_NAME}:keys' in text


def test_rows_that_are_fetched_and_deleted_side_by_side_are_one_trip(song):
    song.saver.save([song(title=str(number), artist='Abba') for number in range(600)])
    with assertNumRoundTrips(2):  # the pks are another
        assert song.objects.filter(artist='Abba').delete() == 600


def test_too_few_fail_as_well():
    assert failure(2, lambda: None) == '2 round trips expected, 0 made.'


def test_an_error_of_the_block_is_the_one_that_is_told(song):
    with pytest.raises(KeyError, match='mine'), assertNumRoundTrips(7):
        raise KeyError('mine')


def test_afterwards_nobody_counts(song):
    with assertNumRoundTrips(0) as trips:
        pass
    song(title='x').save()
    assert trips == []
    assert recording.recorders == []


def test_blocks_within_blocks_count_each_for_itself(song):
    with assertNumRoundTrips(2) as outer:
        song.objects.count()
        with assertNumRoundTrips(1) as inner:
            song.objects.count()
    assert outer[1] == inner[0]


def test_two_recorders_that_noted_the_same(song):
    with recordTrips() as outer:
        with recordTrips():
            song.objects.count()
        song.objects.count()
    assert len(outer) == 2


def test_loading_a_script_and_retries_count_nothing(song, raw):
    for _ in range(2):
        raw.script_flush()
        with assertNumRoundTrips(1):
            song(title='x').save()


def test_chunks_that_overlap_are_one_trip(song):
    objs = [song(title=str(number), artist='Abba') for number in range(2500)]
    song.saver.save(objs)
    with recordTrips() as trips:
        assert len(song.objects.filter(artist='Abba').all()) == 2500
    (rows,) = [trip for trip in trips if trip[0][0] == 'HMGET']
    assert [command[0] for command in rows] == [*['HMGET'] * 2500, 'MGET']


def test_other_threads_count(song):
    def ask():
        thread = threading.Thread(target=song.objects.count)
        thread.start()
        thread.join()

    assert failure(0, ask).startswith('0 round trips expected, 1 made:')


def test_asyncio_counts(song):
    async def ask():
        with assertNumRoundTrips(3):
            await asyncio.gather(*(song.objects.acount() for _ in range(3)))
        message = '5 round trips expected, 1 made'
        with pytest.raises(AssertionError, match=message), assertNumRoundTrips(5):
            await song.objects.aall()
        await IR.aclose()

    asyncio.run(ask())


def test_what_is_sent_in_vain_counts(song, monkeypatch):
    monkeypatch.setattr(exchange, 'RETRY_SECONDS', 0.1)
    song.objects.count()
    gone = song.connectAlt({'port': 1})

    def ask():
        with pytest.raises(redis.ConnectionError):
            gone.objects.count()

    assert '1 made' in failure(0, ask)


def test_long_values_are_cut(song):
    def save():
        song(title='long' * 500 + '\x00', artist=b'\xff\x00'.decode('latin-1')).save()

    text = failure(0, save)
    assert max(map(len, text.split('\n'))) < 200
    assert '\x00' not in text


def test_many_commands_and_trips_are_cut(song):
    def ask():
        for _ in range(60):
            song.objects.count()

    text = failure(1, ask)
    assert text.endswith('... and 10 more')
    assert text.count('\n') == 51
