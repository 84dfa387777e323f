"""Sharing and losing connections. The rule: threads wait for one another, processes have their own,
and whatever the server forgot or closed is made anew without anybody noticing."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.processes import run_python


@pytest.fixture
def song(make_model):
    return make_model(['title', 'artist'], indexed=['artist'])


def in_threads(work, count):
    """Run it in that many threads at once; re-raise what went wrong."""
    with ThreadPoolExecutor(count) as threads:
        for future in [threads.submit(work) for _ in range(count)]:
            future.result()


def test_150_threads_share_8_connections(song, raw):
    """The server is asked all the time how many there are."""
    song.REDIS_CONNECTION_PARAMS = {'max_connections': 8, 'client_name': 'few'}
    barrier, seen = threading.Barrier(151), []

    def work():
        barrier.wait()
        obj = song(title='x', artist='first')
        obj.save()
        obj.artist = 'changed'
        obj.save()
        assert obj._id in song.objects.filter(artist='changed').getPrimaryKeys()

    with ThreadPoolExecutor(150) as threads:
        futures = [threads.submit(work) for _ in range(150)]
        barrier.wait()
        while not all(future.done() for future in futures):
            seen.append(sum(client['name'] == 'few' for client in raw.client_list()))
    for future in futures:
        future.result()
    assert song.objects.filter(artist='changed').count() == song.objects.count() == 150
    assert len(seen) > 10
    assert 1 < max(seen) <= 8


def test_a_connection_that_a_forked_child_inherits_is_not_used_by_both(redis_params, raw):
    lines = run_python(
        """
        import os, sys
        import IndexedRedis as IR
        IR.setDefaultRedisConnectionParams({'host': sys.argv[1], 'port': int(sys.argv[2])})
        class Song(IR.IndexedRedisModel):
            FIELDS = [IR.IRField('title')]
            INDEXED_FIELDS = ['title']
            KEY_NAME = 'Song'
        Song(title='parent').save()
        children = []
        for child in range(4):
            pid = os.fork()
            if not pid:
                for _ in range(50):
                    Song(title=f'child {child}').save()
                    assert Song.objects.filter(title='parent').count() >= 1
                os._exit(0 if Song.objects.filter(title=f'child {child}').count() == 50 else 1)
            children.append(pid)
        for _ in range(50):
            Song(title='parent').save()
        print({os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children})
        print(Song.objects.filter(title='parent').count(), Song.objects.count())
        IR.clearRedisPools()
        """,
        redis_params['host'],
        redis_params['port'],
    )
    assert lines.splitlines() == ['{0}', '51 251']


def test_scripts_that_the_server_forgot_are_loaded_again(song, raw):
    song.saver.save([song(title=str(n), artist='x') for n in range(300)])
    for _ in range(2):
        for call in (
            lambda: song(title='y').save(),
            lambda: song.objects.first().delete(),
            lambda: song.objects.all(),
            lambda: song.objects.random(),
            lambda: song.objects.filter(artist='x', artist__ne='y').count(),
            lambda: song.saver.save([song(), song(_id=2), song()]),
            lambda: song.reset([song(title=str(n), artist='x') for n in range(600)]),
            lambda: song.objects.filter(artist='x').delete(),
        ):
            raw.script_flush()
            call()
    assert song.objects.count() == 0


@pytest.mark.programs
def test_a_child_forked_while_other_threads_talk_works_and_so_do_they(redis_params, watch_models):
    lines = run_python(
        """
        import os, sys, threading, warnings
        import IndexedRedis as IR
        warnings.simplefilter('ignore', DeprecationWarning)  # of Python 3.12: threads and fork
        IR.setDefaultRedisConnectionParams({'host': sys.argv[1], 'port': int(sys.argv[2])})
        class Song(IR.IndexedRedisModel):
            FIELDS = [IR.IRField('title')]
            INDEXED_FIELDS = ['title']
            KEY_NAME = 'Song'
        Song(title='parent').save()  # a fork in the middle of an import deadlocks by itself
        stop, saved = threading.Event(), [1]
        def talk():
            while not stop.is_set():
                saved.extend(Song(title='parent').save())
        threads = [threading.Thread(target=talk) for _ in range(6)]
        for thread in threads:
            thread.start()
        codes = set()
        for child in range(20):
            pid = os.fork()
            if not pid:
                pks = [Song(title='child').save()[0] for _ in range(5)]
                found = [obj.title for obj in Song.objects.getMultiple(pks)]
                os._exit(0 if found == ['child'] * 5 else 1)
            codes.add(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        stop.set()
        for thread in threads:
            thread.join()
        counts = [Song.objects.filter(title=title).count() for title in ('parent', 'child')]
        print(codes, counts == [len(saved), 100], len(set(saved)) == len(saved) > 100)
        IR.clearRedisPools()
        """,
        redis_params['host'],
        redis_params['port'],
    )
    assert lines == '{0} True True'


def test_scripts_that_are_flushed_in_the_middle_of_everything(song, raw, check):
    """Eight threads do all there is, while the server forgets its scripts again and again."""
    song.saver.save([song(title=str(n), artist='x') for n in range(300)])
    stop, flushes = threading.Event(), 0

    def work():
        for number in range(15):
            obj = song(title='y', artist=str(number))
            obj.save()
            obj.artist = 'changed'
            obj.save()
            song.saver.save([song(artist='many'), song(artist='many')])
            assert len(song.objects.filter(artist='x').all()) == 300
            assert song.objects.filter(artist='x', title__ne='y').count() == 300
            assert song.objects.random() is not None
            obj.delete()

    song.INDEXED_FIELDS = ['artist', 'title']
    song.objects.reindex()
    with ThreadPoolExecutor(8) as threads:
        futures = [threads.submit(work) for _ in range(8)]
        while not all(future.done() for future in futures):
            raw.script_flush()
            flushes += 1
            stop.wait(0.01)  # not faster than a script can be loaded and called
    for future in futures:
        future.result()
    assert flushes > 5
    assert song.objects.count() == 300 + 8 * 15 * 2
    check(song)
    raw.script_flush()
    assert len(song.reset([song(title=str(n), artist='x') for n in range(600)])) == 600


@pytest.mark.parametrize('how', ['restart', 'kill'])
def test_a_server_that_was_restarted_is_found_again(song, new_server, how):
    server = new_server()
    alt = song.connectAlt(server.params)
    handle = alt(title='before', artist='x')
    handle.save()
    alt.objects.all()
    getattr(server, how)()
    if how == 'kill':
        server.start()
    assert alt.objects.all() == []  # it kept its data in memory only
    assert alt(title='after', artist='x').save() == [1]
    assert [obj.title for obj in alt.objects.filter(artist='x').all()] == ['after']
    assert alt.reset([alt(title='reset')]) == [2]


def update(song):
    obj = song.objects.get(1)
    obj.artist = 'y'
    obj.save()


# What is done, and how many objects there are afterwards.
CALLS = {
    'insert': (lambda song: song(title='new', artist='x').save(), 9),
    'bulk insert': (lambda song: song.saver.save([song(artist='x'), song(artist='x')]), 10),
    'update': (update, 8),
    'all': (lambda song: song.objects.filter(artist='x').all(), 8),
    'delete': (lambda song: song.objects.filter(artist='x').delete(), 0),
    'reset': (lambda song: song.reset([song(artist='x')]), 1),
}


@pytest.mark.parametrize('call', CALLS)
def test_connections_that_the_server_closed_are_replaced(song, raw, call, check):
    in_threads(lambda: song(title='t', artist='x').save(), 8)
    me = str(raw.client_id())
    others = [client['id'] for client in raw.client_list(_type='normal') if client['id'] != me]
    assert others
    for client in others:
        raw.execute_command('CLIENT', 'KILL', 'ID', client)
    work, left = CALLS[call]
    work(song)
    assert song.objects.count() == left
    check(song)
