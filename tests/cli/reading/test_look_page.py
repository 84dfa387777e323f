"""The page "look inside" runs as shown: its module, its commands, its Python."""

from __future__ import annotations

import doctest
import re
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from cli.commands import command, environment

pytestmark = pytest.mark.programs

PAGE = Path(__file__).parents[3] / 'docs' / 'operate' / 'look-inside.rst'
BLOCK = re.compile(r'^\.\. code-block:: (\w+)\n((?:   :.*\n)*)\n((?:(?:   .*)?\n)+)', re.MULTILINE)


def blocks(language):
    return [textwrap.dedent(m[3]) for m in BLOCK.finditer(PAGE.read_text()) if m[1] == language]


def run(line, folder, url):
    program, *words = shlex.split(line)
    variables = {'INDEXEDREDIS_URL': url}
    if program == 'indexedredis':
        done = command(*words, cwd=folder, env=variables)
        assert done.status == 0, done.errors
        return done.out
    assert program == 'python'
    env = environment(**variables)
    python = [sys.executable, *words]
    return subprocess.check_output(python, cwd=folder, env=env, text=True, timeout=120)


@pytest.fixture
def shop(tmp_path, monkeypatch):
    (source,) = blocks('python')
    Path(tmp_path, 'shop.py').write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, 'shop', raising=False)
    yield tmp_path
    sys.modules.pop('shop', None)


def test_the_page_runs_as_shown(shop, url, monkeypatch):
    monkeypatch.setenv('INDEXEDREDIS_URL', url)
    lines = 0
    for block in blocks('console'):
        line, expected = block.removeprefix('$ ').split('\n', 1)
        printed = run(line, shop, url)
        fits = doctest.OutputChecker().check_output(
            expected.strip(), printed.strip(), doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        )
        assert fits, f'{line}\n{printed}'
        lines += len(expected.splitlines())
    assert lines > 40
    found = doctest.testfile(str(PAGE), module_relative=False)
    assert found.attempted > 8
    assert found.failed == 0
