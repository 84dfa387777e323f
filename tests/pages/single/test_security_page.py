"""What the security page says. The rule: the users it documents can do their work and nothing
else; the server counts which commands they really used.

The lists of commands are made by `pytest tests/pages/single/test_security_page.py --docs`.
"""

from __future__ import annotations

import contextlib
import hashlib
import pathlib
import pickle
import re
import textwrap
from typing import Any

import pytest
import redis
from cli.commands import command
from house.twins import TWINS, over_asyncio
from support import acl_users
from support.acl_users import ROLES, Song

import IndexedRedis as IR
from IndexedRedis import ConnectionSetupError, IRField, UnreadableValueError
from IndexedRedis.connections import threads
from IndexedRedis.executors import recording
from IndexedRedis.fields import IRPickleField

PAGE = pathlib.Path(__file__).parents[3] / 'docs' / 'explanation' / 'security.rst'
USER = re.compile(r'^   ACL SETUSER \S+ .*(?:\n {7}.*)*', re.MULTILINE)
OPTIONAL = re.compile(r'^   \* - ``(\+.*)``$', re.MULTILINE)
# What comes before any right is asked for.
OF_ANYBODY = {'hello', 'auth', 'client|maint_notifications'}


def documented() -> dict[str, list[str]]:
    """The rules of each user, as the page gives them."""
    commands = [found.split() for found in USER.findall(PAGE.read_text('utf-8'))]
    return {words[2]: words[3:] for words in commands}


def rights(rules: list[str]) -> set[str]:
    return {rule[1:] for rule in rules if rule.startswith('+')}


def optional() -> set[str]:
    """The rights that the page calls optional."""
    return rights(' '.join(OPTIONAL.findall(PAGE.read_text('utf-8'))).split())


def document(role: str, needed: set[str]) -> None:
    """Write the paragraph of a user."""
    lines = textwrap.wrap(' '.join(f'+{right}' for right in sorted(needed)), 104)
    rules = [f'ACL SETUSER {role} reset on >{role}-password ~_ir_|Song:*', *lines]
    page = PAGE.read_text('utf-8')
    (old,) = [found for found in USER.findall(page) if found.split()[2] == role]
    PAGE.write_text(page.replace(old, '   ' + '\n       '.join(rules)), 'utf-8')


@pytest.fixture
def admin(new_server):
    """A client of a server of this test that knows the users of the page."""
    server = new_server()
    with contextlib.closing(server.client()) as client:
        for name, rules in documented().items():
            client.execute_command('ACL SETUSER', name, *rules)
        yield client


@pytest.fixture
def act_as(admin):
    """`act_as('reader')`: make this user, or `default`, the default of the library; gives the URL
    that logs in as this user."""
    place = {name: admin.connection_pool.connection_kwargs[name] for name in ('host', 'port')}

    def become(user: str = 'default') -> str:
        (password,) = [rule[1:] for rule in documented().get(user, ['>']) if rule.startswith('>')]
        login = {'username': user, 'password': password} if password else {}
        IR.setDefaultRedisConnectionParams({**place, 'db': 0, **login})
        return f'redis://{user}:{password}@{place["host"]}:{place["port"]}/0'

    return become


@pytest.fixture(params=['threads', 'asyncio'])
def executor(request, monkeypatch):
    """Has the methods run in threads, then over asyncio."""
    with over_asyncio(monkeypatch) if request.param == 'asyncio' else contextlib.nullcontext():
        yield request.param


@pytest.fixture
def low_limits(monkeypatch):
    """Has few objects go the ways of many."""
    for (place, name), limit in acl_users.LIMITS.items():
        monkeypatch.setattr(place, name, limit)


def used(admin: Any) -> set[str]:
    """The commands that the server has carried out since it was told to count, in scripts too."""
    found = admin.info('commandstats')
    names = {name.removeprefix('cmdstat_') for name, stat in found.items() if stat['calls']}
    return names - OF_ANYBODY - {'config|resetstat'}


@pytest.mark.programs
@pytest.mark.damaged
@pytest.mark.either('executor')
@pytest.mark.parametrize('role', ROLES)
@pytest.mark.usefixtures('executor', 'low_limits')
def test_a_user_needs_the_rights_of_the_page_and_no_others(admin, act_as, request, role):
    sent: set[str] = set()
    for scene in ROLES[role]:
        prepare(scene, admin, act_as)
        admin.config_resetstat()
        scene.act(Song)
        sent |= used(admin)
    if request.config.getoption('--docs'):
        document(role, sent - optional())
        admin.execute_command('ACL SETUSER', role, *documented()[role])
    assert sent - optional() == rights(documented()[role])
    admin.acl_log_reset()
    for scene in ROLES[role]:
        prepare(scene, admin, act_as)
        act_as(role)
        scene.act(Song)
    assert {entry['object'] for entry in admin.acl_log()} <= optional()


def prepare(scene: Any, admin: Any, act_as: Any) -> None:
    act_as()
    admin.flushall()
    scene.prepare(Song, admin)


@pytest.mark.programs
@pytest.mark.parametrize('role', acl_users.COMMANDS)
def test_the_commands_of_a_user(admin, act_as, role):
    act_as()
    acl_users.store(10)(Song, admin)
    url, printed = act_as(role), b''
    for words in acl_users.COMMANDS[role]:
        done = command(*words.split(), given=printed, env={'INDEXEDREDIS_URL': url})
        assert done.status == 0, done.errors
        printed = done.raw
    assert {entry['object'] for entry in admin.acl_log()} <= optional()


def test_the_users_do_all_that_there_is():
    source = pathlib.Path(acl_users.__file__).read_text('utf-8')
    assert {name for _, name in TWINS if not re.search(rf'\b{name}\(', source)} == set()


def test_the_users_send_each_command_of_the_library(admin):
    """Those that the texts of the core name, in scripts and beside them."""
    core = pathlib.Path(IR.__file__).parent / '_core'
    texts = [path.read_text('utf-8') for path in core.rglob('*.py')]
    words = {word.lower() for text in texts for word in re.findall(r"[({]'([A-Z]+)'[,)]", text)}
    named = words & admin.command().keys()
    assert len(named) > 30
    given = set().union(*map(rights, documented().values()), optional())
    assert named - {right.partition('|')[0] for right in given} == set()


def test_a_reader_who_remembers_needs_what_the_page_says(telling_server, admin, act_as):
    act_as()
    acl_users.store(150)(Song, admin)
    act_as('reader')
    song = Song.copyModel()
    song.CLIENT_SIDE_CACHE = 5
    with pytest.raises(ConnectionSetupError, match='tracking'):
        song.objects.get(1)
    (rules,) = [found for found in OPTIONAL.findall(PAGE.read_text('utf-8')) if 'tracking' in found]
    admin.execute_command('ACL SETUSER', 'reader', *rules.split())
    with recording.recordTrips() as trips:
        assert [song.objects.filter(artist='Abba').count() for _ in range(9)] == [150] * 9
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
@pytest.mark.parametrize('user', ['reader', 'checker'])
def test_who_only_reads_cannot_write(admin, act_as, user, write):
    act_as()
    acl_users.store(150)(Song, admin)
    before = contents(admin)
    act_as(user)
    with pytest.raises(redis.ResponseError, match=r"(?i)permission|can't run"):
        WRITES[write](Song)
    assert contents(admin) == before


def contents(client: Any) -> dict[bytes, bytes]:
    return {
        key: client.dump(key)
        for key in client.scan_iter()
        if b':data:' not in key or client.ttl(key) < 0
    }


@pytest.mark.parametrize('user', ROLES)
def test_nobody_gets_at_other_models(admin, act_as, make_model, user):
    act_as(user)
    other = make_model(['title'], key_name='Songs')
    for call in (lambda: other.objects.all(), lambda: other(title='x').save()):
        with pytest.raises(redis.ResponseError, match=r'(?i)permission|key'):
            call()
    assert admin.dbsize() == 0


def test_findModels_needs_the_keys_of_all_models(admin, act_as, make_model):
    act_as()
    make_model(['title'], key_name='Songs')(title='x').save()
    act_as('checker')
    with pytest.raises(redis.ResponseError, match=r'(?i)permission|key'):
        IR.findModels()
    admin.execute_command('ACL SETUSER', 'checker', '~_ir_|*')
    assert [found.keyName for found in IR.findModels()] == ['Songs']


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
