"""Tests of what users test with. The rule: their production is the server of `redis_params`; what
the tests of a pretended user reach there is a failure."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

import IndexedRedis
from IndexedRedis.testing import ServerForTests, serverForTests

HOME = Path(IndexedRedis.__file__).parent.parent
# Plugins that happen to be installed here only cost time.
LEAN = {'PYTHONPATH': str(HOME), 'PYTEST_DISABLE_PLUGIN_AUTOLOAD': '1'}
FIRST = 9  # the database that INDEXEDREDIS_TEST_URL names


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs this suite over pytest-xdist is not the pretended user."""
    for name in ('PYTEST_XDIST_WORKER', 'PYTEST_XDIST_WORKER_COUNT', 'PYTEST_ADDOPTS'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv('INDEXEDREDIS_TEST_URL', raising=False)


@pytest.fixture
def url(redis_params: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database of a server that others use as well, named to the tests of the user."""
    url = f'redis://{redis_params["host"]}:{redis_params["port"]}/{FIRST}'
    monkeypatch.setenv('INDEXEDREDIS_TEST_URL', url)
    return url


@pytest.fixture
def client(redis_params: Any) -> Iterator[Callable[[int], redis.Redis]]:
    """`client(9)`: a plain client of a database by its number."""
    with contextlib.ExitStack() as stack:
        yield lambda db: stack.enter_context(redis.Redis(**{**redis_params, 'db': db}))


@pytest.fixture
def shared(url: str) -> Iterator[ServerForTests]:
    """The server for tests that the URL gives."""
    with serverForTests() as server:
        yield server


class Run:
    """What came of a test run: outcomes by name of the test, and what it printed."""

    def __init__(self, done: subprocess.CompletedProcess[str], report: Path):
        self.code = done.returncode
        self.text = done.stdout + done.stderr
        self.outcomes: dict[str, str] = {}
        if report.exists():
            for case in ET.parse(report).iter('testcase'):
                inner = [
                    child.tag for child in case if child.tag in ('failure', 'error', 'skipped')
                ]
                self.outcomes[str(case.get('name'))] = (inner or ['passed'])[0]


@pytest.fixture
def run_pytest(tmp_path: Path) -> Callable[..., Run]:
    """`run_pytest('-v')`: run the files in `tmp_path` as the tests of a user, warnings being
    errors."""

    def run(*arguments: str, plugin: str = 'IndexedRedis.testing.plugin', **env: str) -> Run:
        report = tmp_path / 'report.xml'
        command = ['-m', 'pytest', '-p', plugin, '-p', 'no:cacheprovider']
        done = subprocess.run(
            [sys.executable, *command, '-W', 'error', f'--junitxml={report}', *arguments],
            cwd=tmp_path,
            env={**os.environ, **LEAN, **env},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Run(done, report)

    return run
