"""What the security page says. The rule: the users it documents can do their work and nothing
else; the server counts which commands they really used."""

from __future__ import annotations

import contextlib
import hashlib
import pathlib
import pickle
import re
from typing import Any

import pytest
import redis

from IndexedRedis import ConnectionSetupError, IRField, UnreadableValueError, resetChanged
from IndexedRedis.connections import threads
from IndexedRedis.executors import recording
from IndexedRedis.fields import IRPickleField

PAGE = pathlib.Path(__file__).parent.parent / 'docs' / 'explanation' / 'security.rst'
USER = re.compile(r'^   ACL SETUSER \S+ .*(?:\n {7}.*)*', re.MULTILINE)
# What comes before any right is asked for, and what redis-py can do without.
OF_ANYBODY = {'hello', 'auth', 'client|setinfo', 'client|maint_notifications'}
OF_ADMIN = {'acl|setuser', 'config|resetstat', 'info'}


def documented() -> dict[str, list[str]]:
    """The rules of each user, as the page gives them."""
    commands = [found.split() for found in USER.findall(PAGE.read_text('utf-8'))]
    return {words[2]: words[3:] for words in commands}


def rights(rules: list[str]) -> set[str]:
    return {rule[1:] for rule in rules if rule.startswith('+')}


@pytest.fixture
def admin(new_server):
    """A client of a server of this test that knows the users of the page."""
    server = new_server()
    with contextlib.closing(server.client()) as client:
        for name, rules in documented().items():
            client.execute_command('ACL SETUSER', name, *rules)
        yield client


@pytest.fixture
def song_of(admin, make_model, watch_models):
    """`song_of('reader')`: the model of the page, connected as that user."""
    song = make_model(['title', 'artist'], indexed=['artist', 'title'], key_name='Song')
    place = {name: admin.connection_pool.connection_kwargs[name] for name in ('host', 'port')}
    watch_models(song.connectAlt({**place, 'db': 0}))

    def connected(user: str) -> Any:
        (password,) = [rule[1:] for rule in documented()[user] if rule.startswith('>')]
        return song.connectAlt({**place, 'db': 0, 'username': user, 'password': password})

    return connected


def read_all(song: Any) -> None:
    """Every way to read, in every size that is answered in a way of its own."""
    both = song.objects.filter(artist='Abba', title__ne='1')
    assert len(song.objects.all()) == 150  # many: in chunks
    assert len(song.objects.filter(artist='Abba').all()) == 150
    assert len(song.objects.filter(artist__ne='Abba').getPrimaryKeys()) == 0
    assert len(both.all()) == 149
    assert len(song.objects.filter(artist='Abba', title='1').all()) == 1  # few: one script
    counts = [query.count() for query in (song.objects, both)]
    assert counts == [150, 149]
    obj = both.first()
    assert obj.artist == both.last().artist == both.random().artist == 'Abba'
    assert song.objects.exists(obj.getPk())
    assert song.objects.get(obj.getPk()).reload() == {}
    assert len(song.objects.getMultiple([obj.getPk(), 10**9])) == 2


def write_all(song: Any) -> None:
    """Every way to write; what `read_all` expects is stored afterwards."""
    one = song(title='x', artist='y')
    one.save()
    one.title = 'z'
    one.save()
    song.saver.save([song(title='many'), song(title='more')])
    song.objects.reindex()
    one.delete()
    song.deleter.deleteByPk(2)
    assert song.objects.filter(title='more').delete() == 1
    song(title='replaced', artist='x').save()
    pks = song.reset([song(title=str(number), artist='Abba') for number in range(150)])
    assert len(pks) == 150
    song.saver.save(song(title='again'), forceID=4)  # over the row that is about to expire
    song.deleter.deleteByPk(4)
    many = [song(title=str(number), artist='long') for number in range(1000)]
    song.saver.save(many)  # too long for one script
    for each in many:
        each.artist = 'longer'
    song.saver.save(many)
    song.deleter.deleteMultiple(many)
    obj = song.objects.first()
    obj.copy(copyPrimaryKey=True).save()
    same = [song(title=str(number), artist='Abba') for number in range(1, 150)]
    resetChanged({song: [*same, song(title='0', artist='Abba')]}, {song: 'title'})
    song.reset(song.objects.all())
    # In place of objects with the same index values, under pks of their own.
    song.reset([song(title=str(number), artist='Abba') for number in range(150)])
    assert song.objects.check().ok
    assert song.objects.repair().ok
    assert song.objects.mirroredAt() is None


def leave_committed_write(admin: Any) -> None:
    """Leave what a process leaves that was killed while it wrote a long list."""
    token = b'f' * 32
    admin.hset(b'_ir_|Song:tmp:%b:left' % token, 10**6, b'')
    admin.hset(b'_ir_|Song:tmp:resets', token, b'committed')


def used(admin: Any) -> set[str]:
    """The commands that the server has carried out since it was told to count."""
    found = admin.info('commandstats')
    return {name.removeprefix('cmdstat_') for name, stat in found.items() if stat['calls']}


def test_a_writer_needs_the_rights_of_the_page_and_no_others(admin, song_of):
    song = song_of('writer')
    admin.config_resetstat()
    leave_committed_write(admin)
    write_all(song)
    read_all(song)
    assert song.deleter.destroyModel() > 150
    assert used(admin) - OF_ANYBODY - OF_ADMIN == rights(documented()['writer'])
    assert admin.dbsize() == 0


def test_a_reader_needs_the_rights_of_the_page_and_no_others(admin, song_of):
    write_all(song_of('writer'))
    song = song_of('reader')
    admin.config_resetstat()
    read_all(song)
    assert used(admin) - OF_ANYBODY - OF_ADMIN == rights(documented()['reader'])


def test_a_reader_who_remembers_needs_what_the_page_says(telling_server, admin, song_of):
    song = song_of('writer')
    song.reset([song(title='x', artist='Abba')])
    song = song_of('reader')
    song.CLIENT_SIDE_CACHE = 5
    with pytest.raises(ConnectionSetupError, match='tracking'):
        song.objects.get(1)
    (rules,) = re.findall(r'``CLIENT_SIDE_CACHE`` wants ``(.*?)``', PAGE.read_text('utf-8'))
    admin.execute_command('ACL SETUSER', 'reader', *rules.split())
    with recording.recordTrips() as trips:
        assert [song.objects.filter(artist='Abba').count() for _ in range(9)] == [1] * 9
    assert len(trips) < 4


WRITES = {
    'save': lambda song: song(title='x').save(),
    'update': lambda song: change(song.objects.first()),
    'bulk save': lambda song: song.saver.save([song(), song()]),
    'delete': lambda song: song.objects.first().delete(),
    'delete by filter': lambda song: song.objects.filter(artist='Abba').delete(),
    'reset': lambda song: song.reset([song()]),
    'reset to nothing': lambda song: song.reset([]),
    'destroyModel': lambda song: song.deleter.destroyModel(),
}


def change(obj: Any) -> None:
    obj.artist = 'changed'
    obj.save()


@pytest.mark.parametrize('write', WRITES)
def test_a_reader_cannot_write(admin, song_of, write):
    write_all(song_of('writer'))
    before = contents(admin)
    with pytest.raises(redis.ResponseError, match=r"(?i)permission|can't run"):
        WRITES[write](song_of('reader'))
    assert contents(admin) == before


def contents(client: Any) -> dict[bytes, bytes]:
    return {
        key: client.dump(key)
        for key in client.scan_iter()
        if b':data:' not in key or client.ttl(key) < 0
    }


@pytest.mark.parametrize('user', ['reader', 'writer'])
def test_nobody_gets_at_other_models(admin, song_of, make_model, user):
    kwargs = song_of(user).REDIS_CONNECTION_PARAMS
    other = make_model(['title'], key_name='Songs').connectAlt(kwargs)
    for call in (lambda: other.objects.all(), lambda: other(title='x').save()):
        with pytest.raises(redis.ResponseError, match=r'(?i)permission|key'):
            call()
    assert admin.dbsize() == 0


@pytest.mark.damaged
def test_a_writer_repairs_beside_a_reset(admin, song_of):
    """Its rights are enough to see what the reset has staged."""
    song = song_of('writer')
    song(title='a', artist='b').save()
    admin.hset('_ir_|Song:tmp:resets', 'token', 'staging')
    admin.set('_ir_|Song:tmp:lock', 'token', px=60_000)
    admin.sadd('_ir_|Song:tmp:token:ranges', '2 1')
    admin.hset('_ir_|Song:data:2', mapping={'title': 'x', 'artist': 'b'})
    admin.sadd('_ir_|Song:idx:artist:b', 2)
    admin.set('_ir_|Song:next', 2)
    assert song.objects.repair().counts == {}
    assert admin.exists('_ir_|Song:data:2')
    assert admin.sismember('_ir_|Song:idx:artist:b', 2)


@pytest.mark.parametrize(
    'params', [{'ssl': True, 'host': 'h'}, {'url': 'rediss://writer:secret@h:6380/0'}], ids=str
)
def test_tls_checks_certificates(params):
    pool = threads.getRedisPool(params)
    assert pool.connection_class is redis.SSLConnection
    assert redis.SSLConnection(**pool.connection_kwargs).cert_reqs.name == 'CERT_REQUIRED'


def test_a_hashed_index_hides_the_value_from_key_names_only(make_model, raw):
    song = make_model([IRField('title', hashIndex=True), 'artist'], indexed=['title', 'artist'])
    song(title='secret', artist='known').save()
    names = b' '.join(raw.keys())
    assert b'known' in names
    assert b'secret' not in names
    assert hashlib.md5(b'secret').hexdigest().encode() in names
    assert raw.hget(f'_ir_|{song.KEY_NAME}:data:1', 'title') == b'secret'


class Point:
    """A class that a field allows."""

    class Inner:
        """One that no field can allow."""


class Ran(Exception):
    """Code of the attacker was run."""


def attack(*args: Any) -> None:
    raise Ran(*args)


class Attack:
    def __reduce__(self):
        return attack, ('now',)


@pytest.fixture
def stored(make_model, raw):
    """`stored(value, allow=[...])`: what comes back of a value that somebody put into Redis."""

    def fetched(value: Any, **how: Any) -> Any:
        box = make_model([IRPickleField('value', **how)])
        box(value=1).save()
        raw.hset(f'_ir_|{box.KEY_NAME}:data:1', 'value', pickle.dumps(value, 2))
        return box.objects.get(1).value

    return fetched


def test_a_pickle_runs_code_by_default_and_not_with_an_allow_list(stored):
    with pytest.raises(UnreadableValueError) as caught:
        stored(Attack())
    assert isinstance(caught.value.__cause__, Ran)
    with pytest.raises(UnreadableValueError, match='attack is not in the allow list'):
        stored(Attack(), allow=[Point])


def test_an_allow_list_is_no_sandbox(stored):
    point = Point()
    point.admin = True
    assert stored(point, allow=[Point]).admin is True


def test_a_nested_class_cannot_be_allowed(stored):
    with pytest.raises(UnreadableValueError, match='getattr is not in the allow list'):
        stored(Point.Inner(), allow=[Point, Point.Inner])
