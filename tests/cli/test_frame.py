"""What all commands have in common: targets, the server, errors, exit status."""

from __future__ import annotations

import pytest

from cli.commands import command, environment, on_terminal, start
from cli.shop import Short
from IndexedRedis.cli import targets
from IndexedRedis.errors import UsageError

WRONG_TARGETS = {
    'shop': "'shop' names nothing; write package.module:Name.",
    'shop:': 'names nothing',
    '.shop:Song': 'names nothing',
    'shoop:Song': "There is no module 'shoop', neither here nor installed.",
    'shop.deeper:Song': "There is no module 'shop.deeper'",
    'shop:Sung': "module shop has no 'Sung'. Did you mean 'Song'?",
    'shop:Unlike': "module shop has no 'Unlike'. Its models: Artist, Elsewhere",
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
    assert done.errors.count('\n') == 1
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
        assert (done.status, done.errors) == (0, 'Short objects: 1 done\nShort keys: 5 done\n')
        assert done.out.startswith('Short: 1 objects')


def test_the_option_wins_over_the_variable(url):
    done = command('check', 'shop:Short', '--url', url, env={'INDEXEDREDIS_URL': 'redis://x:1/0'})
    assert done.status == 0


def test_a_model_with_a_server_of_its_own_keeps_it(url):
    done = command('check', 'shop:Elsewhere', '--url', url)
    assert done.status == 2
    assert '127.0.0.1:1' in done.errors
    assert 'variable INDEXEDREDIS_URL, or by --url of a command' in done.errors


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


@pytest.mark.parametrize('options', [[], ['--json']], ids=['text', 'json'])
def test_nobody_reads_a_report(options, url):
    with start('check', 'shop:Short', '--url', url, *options) as process:
        process.stdout.close()
        errors = process.stderr.read().decode()
    assert process.returncode == 141
    assert all(line.endswith(' done') for line in errors.splitlines()), errors


def test_the_script_does_the_same():
    code = "import sys; sys.argv = ['indexedredis', 'check', 'shop:Sung']\n"
    code += 'from IndexedRedis.__main__ import main; main()'
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, check=False, env=environment()
    )
    assert done.returncode == 2
    assert b"Did you mean 'Song'?" in done.stderr


def test_bars_on_a_terminal(url):
    Short.saver.save([Short(name='x') for _ in range(600)])
    status, seen = on_terminal('check', 'shop:Short', '--url', url)
    assert status == 0
    assert 'Short objects' in seen
    assert '600 of 600' in seen
    assert '\x1b[' in seen
    assert seen.rfind('\x1b[?25h') >= seen.rfind('\x1b[?25l'), 'the cursor is there again'
    assert 'Short: 600 objects and 600 index entries, nothing found' in seen
