"""The how-to pages. The rule: their files are made as they say, and their code runs as shown."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytestmark = pytest.mark.programs

PAGE = Path(__file__).parents[2] / 'docs' / 'howto' / 'mirror.rst'
EVERY = Path(__file__).parents[2] / 'docs' / 'howto' / 'every.rst'


@pytest.fixture
def folder(tmp_path, monkeypatch, redis_params):
    """A folder with the file that the page shows."""
    (code,) = re.findall(r'\.\. code-block:: python\n\n((?:   .*\n|\n)+)', PAGE.read_text('utf-8'))
    (tmp_path / 'shop_mirror.py').write_text(textwrap.dedent(code))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop('shop_mirror', None)


def test_the_page_runs_as_shown(folder, watch_models):
    found = doctest.testfile(str(PAGE), module_relative=False)
    assert found.attempted > 15
    assert found.failed == 0
    from shop_mirror import Album, Artist

    watch_models(Album, Artist)


def test_the_commands_of_the_page(folder, redis_params, raw):
    pytest.importorskip('IndexedRedis.cli.common')
    text = PAGE.read_text('utf-8')
    made = doctest.DocTestParser().get_examples(text)[1]
    exec('import sqlite3\n' + made.source)
    commands = re.findall(r'^   \.venv/bin/python (-m IndexedRedis .*)$', text, re.MULTILINE)
    assert len(commands) == 2
    path = os.pathsep.join(filter(None, sys.path))
    url = f'redis://{redis_params["host"]}:{redis_params["port"]}/0'
    for command, keys in zip(commands, (0, 2), strict=True):
        done = subprocess.run(
            [sys.executable, *command.split()],
            env={**os.environ, 'PYTHONPATH': path, 'INDEXEDREDIS_URL': url},
            check=False,
        )
        assert done.returncode == 0
        assert len(raw.keys('*:keys')) == keys


def test_the_page_on_changed_rows_runs_as_shown(tmp_path, monkeypatch, redis_params):
    monkeypatch.chdir(tmp_path)
    found = doctest.testfile(str(EVERY), module_relative=False)
    assert found.attempted > 10
    assert found.failed == 0
