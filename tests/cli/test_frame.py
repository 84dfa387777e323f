"""What all commands have in common: targets, the server, errors, exit status."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
import sqlalchemy

from cli.commands import command, environment, install_script, on_terminal, start
from cli.shop import Short
from IndexedRedis import __main__
from IndexedRedis.cli import targets
from IndexedRedis.cli.app import COMMANDS
from IndexedRedis.cli.remedies import for_shell
from IndexedRedis.connections import remedies
from IndexedRedis.errors import UsageError

WRONG_TARGETS = {
    'shop': "'shop' names nothing; write package.module:Name.",
    'shop:': 'names nothing',
    '.shop:Song': 'names nothing',
    'shoop:Song': "There is no module 'shoop', neither here nor installed.",
    'shop.deeper:Song': "There is no module 'shop.deeper'",
    'shop:Sung': "module shop has no 'Sung'. Did you mean 'Song'?",
    'shop:Unlike': "module shop has no 'Unlike'. Its models: Address, Artist, Elsewhere",
    'shop:Song.FIELD': "Song has no 'FIELD'. Did you mean 'FIELDS'?",
    'shop:function': 'shop:function is no model, but a function.',
    'shop:Wrong': 'nme',
    'broken:Song': 'Importing broken failed: ZeroDivisionError: division by zero',
    'lacking:Song': "Importing lacking failed: No module named 'not_there'",
}


@pytest.fixture
def folder(tmp_path):
    """A folder with modules that do not import, and one that does."""
    (tmp_path / 'broken.py').write_text('1 / 0\n')
    (tmp_path / 'lacking.py').write_text('import not_there\n')
    (tmp_path / 'own.py').write_text(
        'from shop import *\nimport IndexedRedis\n'
        "IndexedRedis.setDefaultRedisConnectionParams({'host': '127.0.0.1', 'port': 1})\n"
    )
    return tmp_path


@pytest.mark.parametrize('target', WRONG_TARGETS)
def test_a_wrong_target(target, folder):
    done = command('check', target, cwd=folder)
    assert done.status == 2
    assert done.out == ''
    assert done.errors.startswith('error: ')
    lines = done.errors.splitlines()
    assert all(line.startswith('  - ') for line in lines[1:]), 'a line for each problem'
    assert WRONG_TARGETS[target] in done.errors


def test_debug_shows_where_an_error_comes_from(folder):
    done = command('check', 'broken:Song', '--debug', cwd=folder)
    assert done.status == 2
    assert 'Traceback' in done.errors
    assert 'broken.py", line 1' in done.errors
    assert done.errors.splitlines()[-1].startswith('error: Importing broken failed')


def test_an_object_is_no_model():
    with pytest.raises(UsageError, match='a Short'):
        targets.load_model('cli.test_frame:an_object')


an_object = Short()


def test_the_url_wins_over_what_the_module_sets(url, folder, watch_models):
    watch_models(Short)
    Short(name='x').save()
    assert command('check', 'own:Short', cwd=folder).status == 2, 'nobody listens there'
    for options, env in ((['--url', url], {}), ([], {'INDEXEDREDIS_URL': url})):
        done = command('check', 'own:Short', *options, env=env, cwd=folder)
        assert (done.status, done.errors) == (0, 'Short objects: 1 done\nShort keys: 6 done\n')
        assert done.out.startswith('Short: 1 objects')


OWN_MIRROR = """
from own import Short
from sqlalchemy import literal, select
from IndexedRedis.mirror import Mirror
mirror = Mirror('sqlite://', {Short: select(literal('x').label('name'), literal(3).label('group'))})
"""
# All commands that have --url, in an order in which each can do its job.
URL_COMMANDS = {
    'mirror': ['mirrored:mirror'],
    'models': [],
    'info': ['own:Short'],
    'explain': ['own:Short', 'group=3'],
    'check': ['own:Short'],
    'repair': ['own:Short', '--yes'],
    'reindex': ['own:Short'],
    'export': ['own:Short'],
    'import': ['own:Short'],
}


def test_the_variable_wins_for_all_commands(url, folder, watch_models):
    watch_models(Short)
    (folder / 'mirrored.py').write_text(OWN_MIRROR)
    having = {name for name, (module, without) in COMMANDS.items() if 'url' not in without}
    assert having - {'admin'} == {*URL_COMMANDS}, 'admin runs till it is stopped'
    exported = b''
    for name, args in URL_COMMANDS.items():
        done = command(name, *args, env={'INDEXEDREDIS_URL': url}, cwd=folder, given=exported)
        assert done.status == 0, (name, done.errors)
        exported = done.raw if name == 'export' else b''
    assert [(obj.name, obj.group) for obj in Short.objects.all()] == [('x', 3)]


def test_the_option_wins_over_the_variable(url):
    done = command('check', 'shop:Short', '--url', url, env={'INDEXEDREDIS_URL': 'redis://x:1/0'})
    assert done.status == 0


def test_a_model_with_a_server_of_its_own_keeps_it(url):
    done = command('check', 'shop:Elsewhere', '--url', url)
    assert done.status == 2
    assert '127.0.0.1:1' in done.errors
    assert 'Start the server, or name another one with --url redis://' in done.errors
    assert 'Elsewhere: --url does not change its REDIS_CONNECTION_PARAMS.' in done.errors


@pytest.mark.parametrize('url', ['nonsense', 'http://x/', 'redis://127.0.0.1:1/0'])
@pytest.mark.parametrize('name', ['check', 'reindex', 'export', 'import'])
def test_no_server(name, url):
    done = command(name, 'shop:Short', '--url', url)
    assert (done.status, done.out) == (2, '')
    assert 'Traceback' not in done.errors
    assert done.errors.splitlines()[-1].startswith('error: ')


@pytest.mark.parametrize(
    'args',
    [
        ['check'],
        ['check', '--nonsense'],
        ['reindex', 'shop:Short', 'shop:Song'],
        ['import', 'shop:Short', '--mode', 'other'],
        ['serve', '--port', '99999'],
        ['serve', '--url', 'redis://x'],
        ['demo', '--json'],
    ],
    ids=' '.join,
)
def test_wrong_usage(args):
    done = command(*args)
    assert (done.status, done.out) == (2, '')
    assert 'Usage: ' in done.errors
    assert 'Error: ' in done.errors
    assert 'Traceback' not in done.errors


@pytest.mark.programs
def test_what_nobody_reads(url):
    """As with `indexedredis export ... | head -1`."""
    Short.saver.save([Short(name='x' * 1000) for _ in range(2000)])
    with start('export', 'shop:Short', '--url', url) as process:
        process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read().decode()
    assert process.returncode == 141
    assert 'Traceback' not in errors
    assert 'Exception' not in errors


@pytest.mark.programs
@pytest.mark.parametrize('options', [[], ['--json']], ids=['text', 'json'])
def test_nobody_reads_a_report(options, url):
    with start('check', 'shop:Short', '--url', url, *options) as process:
        process.stdout.close()
        errors = process.stderr.read().decode()
    assert process.returncode == 141
    assert all(line.endswith(' done') for line in errors.splitlines()), errors


@pytest.mark.programs
def test_the_script_does_the_same_under_its_own_name(tmp_path):
    script = str(install_script(tmp_path))

    def run(*args):
        return subprocess.run(
            [script, *args], capture_output=True, check=False, env=environment(), text=True
        )

    done = run('check', 'shop:Sung')
    assert done.returncode == 2
    assert "Did you mean 'Song'?" in done.stderr
    assert 'Usage: indexedredis info ' in run('info', '-h').stdout
    assert 'Usage: python -m IndexedRedis info ' in command('info', '-h').out


@pytest.mark.parametrize('args', [(), *((name,) for name in COMMANDS)], ids=str)
def test_help_is_short_and_whole(args):
    done = command(*args, '-h', env={'COLUMNS': '80'})
    assert (done.status, done.errors) == (0, '')
    assert done.out == command(*args, '--help', env={'COLUMNS': '80'}).out
    assert '-h, --help' in done.out
    assert max(map(len, done.out.splitlines())) <= 80
    assert not re.search(r'[a-z,]\.\.\.$', done.out, re.MULTILINE), 'a sentence is cut'


@pytest.mark.parametrize('name', ['models', 'check'])
def test_a_password_that_is_missing_or_wrong(name, new_server):
    server = new_server(requirepass='right')
    args = [name] if name == 'models' else [name, 'shop:Short']
    for user, said in (('', 'wants a password'), (':wrong@', 'refused the user name or the pass')):
        url = f'redis://{user}{server.host}:{server.port}/0'
        done = command(*args, '--url', url)
        assert (done.status, done.out) == (2, '')
        (line,) = done.errors.splitlines()
        assert said in line
        assert 'INDEXEDREDIS_URL, as redis://user:password@host:port/0, or with --url' in line
        assert 'setDefault' not in line
        assert 'wrong@' not in line


def test_a_wrong_url_is_named_by_where_it_came_from():
    for args, env, source in (
        (['--url', 'http://x'], {}, '--url'),
        ([], {'INDEXEDREDIS_URL': 'http://x'}, 'The variable INDEXEDREDIS_URL'),
    ):
        done = command('models', *args, env=env)
        assert (done.status, done.out) == (2, '')
        assert done.errors.startswith(f'error: {source}: The URL of the connection cannot be used')


def test_an_empty_url_is_no_default():
    done = command('models', '--url', '')
    assert (done.status, done.out) == (2, '')
    assert done.errors == 'error: --url is empty. Leave it out, or give redis://host:port/db.\n'


def test_problems_of_the_library_keep_their_lines_and_others_become_one():
    assert for_shell(UsageError('one\n  two'), []) == 'one\n  two'
    assert for_shell(ValueError('one\n  two'), []) == 'one two'


@pytest.mark.parametrize(
    ('scheme', 'name'), [('postgresql+psycopg', 'psycopg'), ('mysql', 'MySQLdb')]
)
def test_a_driver_that_is_not_installed(monkeypatch, scheme, name):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ModuleNotFoundError) as raised:
        sqlalchemy.create_engine(f'{scheme}://nobody@127.0.0.1/shop')
    assert 'The URL of the database needs it: pip install' in for_shell(raised.value, [])


def test_ctrl_c_while_the_command_is_imported(monkeypatch, capsys):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(__main__, 'command_line', interrupted)
    with pytest.raises(SystemExit) as ended:
        __main__.main()
    assert (ended.value.code, capsys.readouterr().err) == (130, 'interrupted\n')


IN_THE_WAIT = """
import os, signal
from IndexedRedis.cli.common import asked_to_stop

with asked_to_stop() as stop:
    with stop._cond:  # which wait() holds for a moment when it begins and when it ends
        os.kill(os.getpid(), signal.{name})
    print(stop.wait(30))
"""


@pytest.mark.programs
@pytest.mark.parametrize('name', ['SIGINT', 'SIGTERM'])
def test_a_signal_that_comes_as_the_command_begins_to_wait(name):
    args = [sys.executable, '-c', IN_THE_WAIT.format(name=name)]
    assert subprocess.check_output(args, env=environment(), timeout=60) == b'True\n'


def test_every_remedy_has_a_twin_for_the_shell():
    for said in remedies.__all__:
        text = for_shell(ValueError(getattr(remedies, said)), [Short])
        assert '--url' in text
        assert 'connection parameters' not in text
        assert 'setDefault' not in text


@pytest.mark.programs
def test_bars_on_a_terminal(url):
    Short.saver.save([Short(name='x') for _ in range(600)])
    status, seen = on_terminal('check', 'shop:Short', '--url', url)
    assert status == 0
    assert 'Short objects' in seen
    assert '600 of 600' in seen
    assert '\x1b[' in seen
    assert seen.rfind('\x1b[?25h') >= seen.rfind('\x1b[?25l'), 'the cursor is there again'
    assert 'Short: 600 objects and 600 index entries, nothing found' in seen
