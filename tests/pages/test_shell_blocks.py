"""Shell commands of the pages run. The rule: the lines of a block run as shown, one after the
other, in a folder with the modules that the pages speak of, or `NOT_RUN` says why not.
"""

from __future__ import annotations

import re
import shlex
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pages.blocks import ROOT, Block, blocks_of, blocks_without_a_test

pytest.importorskip('pty', reason='needs a POSIX system')
pytest.importorskip('typer', reason='the commands need typer')
pytest.importorskip('sqlalchemy', reason='the mirror needs SQLAlchemy')

from cli.commands import command, environment, install_script

NOT_RUN = {
    r'-m venv|pip install': 'pip would fetch packages; .ci/run runs the lines of README.rst',
    '^apt-get ': 'it changes the machine; .ci/run runs it where no database is installed',
    r'^\.venv/bin/(ruff|tox) |^\.ci/run': '.ci/run runs lint, types, docs and tests, by tox too',
    '--workers': 'workers need a server; tests/mirror/workers/test_command.py runs them on one',
    'pytest -n 4': 'it starts five processes; tests/testing/test_the_plugin.py does it with fewer',
    'demo --cluster': 'it takes 15 seconds; tests/programs/test_demo_shown.py runs it',
}
SHELL = blocks_without_a_test('bash', 'console')
# What runs until it is told to stop: further options, and what shows that it runs.
ENDLESS = {
    r' admin ': ('--port 0', 'http://'),
    r' --every ': ('', 'Mirrored at'),
    r'^flask ': ('--port 0', 'Running on http://'),
}
# Programs that may run here: they change the folder and the server of the test, and nothing else.
PROGRAMS = ('cd', 'flask', 'grep', 'indexedredis', 'python')
# Commands that need no process that imports the library.
QUICK = re.compile(r'(?:indexedredis|\.venv/bin/python -m IndexedRedis) ([^|&;]*?)(?: > (\S+))?')
BENCHMARKS = 'python -m benchmarks'
MODELS = """
from IndexedRedis import IndexedRedisModel, IRField

class Track(IndexedRedisModel):
    FIELDS = [IRField('name'), IRField('genre')]
    INDEXED_FIELDS = ['name']
    KEY_NAME = 'Tracks'

class Order(IndexedRedisModel):
    FIELDS = [IRField('customer')]
    INDEXED_FIELDS = ['customer']
    KEY_NAME = 'Orders'
"""
TEST = """
from shop.models import Track

def test_of_the_shop(indexedredis_models):
    Track(name='So What').save()
    assert Track.objects.count() == 1
"""
# A use of each kind that the commands of the page "upgrading" search for.
OLD_CODE = """
from IndexedRedis.timed import tracked
setDefaultIREncoding('utf-8')
song.save(usePipeline=True); Song.reset(songs); Song.objects.getMultiple([1])
song.reload(); Song.objects.filter(title=None); song._origData
written.replace(tzinfo=None); pool = redis.connection_pool; IRField('x', hashIndex=True)
"""
# A comment that asks the reader to change a model.
BY_HAND = '# now set PARTITIONS in the model'


def lines_of(block: Block) -> list[str]:
    """The commands of a block, without prompts, comments and the times of cron."""
    around = r'^\$ |^([\d*/]+ +){5}|(^|\s+)# (?!now set PART).*'
    lines = [re.sub(around, '', line) for line in block.text.splitlines()]
    return [line for line in lines if line]


def runs(line: str) -> bool:
    return not any(re.search(pattern, line) for pattern in NOT_RUN)


def is_quick(line: str) -> bool:
    endless = any(re.search(pattern, line) for pattern in ENDLESS)
    quick = QUICK.fullmatch(line) or line.startswith((BENCHMARKS, 'grep', BY_HAND))
    return bool(quick) and not endless


def cases() -> list[Any]:
    """Return a case for each block with a line that runs."""
    found = []
    for block in SHELL:
        lines = [line for line in lines_of(block) if runs(line)]
        marks = [] if all(map(is_quick, lines)) else [pytest.mark.programs]
        if lines:
            found.append(pytest.param(lines, id=block.name, marks=marks))
    return found


@pytest.fixture
def url(redis_params):
    return f'redis://{redis_params["host"]}:{redis_params["port"]}/{redis_params["db"]}'


@pytest.fixture
def folder(tmp_path, redis_params):
    """The folder `/srv/shop` of the pages, and what its models have stored."""
    exec(MODELS, names := {})
    for model, field in {'Track': 'name', 'Order': 'customer'}.items():
        names[model](**{field: 'x'}).save()
    (mirror,) = blocks_of('docs/howto/mirror.rst', 'python')
    files = {
        'shop/models.py': MODELS,
        'shop/__init__.py': 'from shop.models import Track\nfrom shop_mirror import mirror\n',
        'shop_mirror.py': mirror,
        'catalogue.py': mirror,
        'tests/test_shop.py': TEST,
        'old_code.py': OLD_CODE,
        '.venv/bin/python': f'#!/bin/sh\nexec {sys.executable} "$@"\n',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / '.venv' / 'bin' / 'python').chmod(0o755)
    install_script(tmp_path / '.venv' / 'bin')
    (tmp_path / 'examples').symlink_to(ROOT / 'examples')
    with sqlite3.connect(tmp_path / 'shop.db') as shop:
        shop.executescript(
            'CREATE TABLE artist (id INTEGER PRIMARY KEY, name TEXT);'
            'CREATE TABLE album (id INTEGER PRIMARY KEY, artist_id INTEGER REFERENCES artist,'
            ' title TEXT, stock INTEGER);'
            "INSERT INTO artist VALUES (1, 'Nina Simone'); INSERT INTO album VALUES (1, 1, 'x', 2)"
        )
    shop.close()
    return tmp_path


@pytest.mark.parametrize('lines', cases())
def test_the_commands_run(lines, folder, url):
    for line in lines:
        here = line.replace('/srv/shop', str(folder))
        run(re.sub(r'redis(\+cluster)?://[\w.:/]+', url, here), folder, url)


def run(line: str, folder: Path, url: str) -> None:
    """Run a line as a reader does, with a status of 0."""
    quick = QUICK.fullmatch(line) if is_quick(line) else None
    if line == BY_HAND:
        name = "'Orders'\n"
        models = folder / 'shop' / 'models.py'
        models.write_text(models.read_text().replace(name, f'{name}    PARTITIONS = 6\n'))
    elif quick:
        done = command(*shlex.split(quick[1]), cwd=folder, env={'INDEXEDREDIS_URL': url})
        assert done.status == 0, done.errors
        if quick[2]:
            (folder / quick[2]).write_bytes(done.raw)
    elif line.startswith(BENCHMARKS):
        from benchmarks import __main__ as benchmarks

        options = benchmarks._parser().parse_args(shlex.split(line.removeprefix(BENCHMARKS)))
        assert {*options.groups} <= benchmarks.GROUPS.keys()
    else:
        run_in_bash(line, folder, url)


def run_in_bash(line: str, folder: Path, url: str) -> None:
    program = line.partition(' ')[0]
    assert program in PROGRAMS, f'{line}: may a test run it? PROGRAMS or NOT_RUN has to say so'
    env = environment(INDEXEDREDIS_URL=url)
    env['PATH'] = f'{folder}/.venv/bin:{Path(sys.executable).parent}:{env["PATH"]}'
    for name in ('PYTEST_XDIST_WORKER', 'PYTEST_XDIST_WORKER_COUNT', 'PYTEST_ADDOPTS'):
        env.pop(name, None)
    options = [options for pattern, options in ENDLESS.items() if re.search(pattern, line)]
    (more, shown), *_ = options or [('', '')]
    process = subprocess.Popen(
        ['bash', '-c', f'exec {line} {more}' if options else line],
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        seen = ''
        while options and shown not in seen:
            read = process.stdout.readline()
            assert read, f'{line} ended: {seen}'
            seen += read
        if options:
            process.send_signal(signal.SIGTERM)
        seen += process.communicate()[0]
    ended = (0, -signal.SIGTERM, 128 + signal.SIGTERM) if options else (0,)
    assert process.returncode in ended, f'{line}: {seen}'
    assert not line.startswith('grep') or 'old_code.py' in seen, line


def test_each_reason_has_a_line():
    lines = [line for block in SHELL for line in lines_of(block)]
    for pattern in NOT_RUN:
        assert any(re.search(pattern, line) for line in lines)
    assert len([line for line in lines if runs(line)]) > 30
