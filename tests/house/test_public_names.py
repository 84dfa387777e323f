"""Each public name is described in the reference, and shown in an example that can be copied."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from IndexedRedis.testing import plugin

ROOT = Path(__file__).parents[2]
API = (ROOT / 'docs' / 'reference' / 'api.rst').read_text('utf-8')
MODULES = [
    'IndexedRedis',
    'IndexedRedis.connections',
    'IndexedRedis.embedded',
    'IndexedRedis.encoding',
    'IndexedRedis.errors',
    'IndexedRedis.fields',
    'IndexedRedis.frameworks.otel',
    'IndexedRedis.mirror',
    'IndexedRedis.testing',
    'IndexedRedis.testing.clusters',
]
# Names of modules that describe themselves, and what is inside `recordTrips`.
NOT_DESCRIBED = {'Trip'}


def names_of(module):
    pytest.importorskip('sqlalchemy', reason='the extra sql is not installed')
    return {*importlib.import_module(module).__all__} - NOT_DESCRIBED


def described():
    """The names in the reference, each without its module."""
    found = {name.rpartition('.')[2] for name in re.findall(r'^\.\. [\w:]+:: ([\w.]+)', API, re.M)}
    for module in re.findall(r'^\.\. automodule:: ([\w.]+)', API, re.M):
        found.update(importlib.import_module(module).__all__)
    return found


def examples():
    """The code of all pages and examples."""
    pages = [ROOT / 'README.rst', *(ROOT / 'docs').rglob('*.rst')]
    pages = [page for page in pages if page.name not in ('api.rst', 'changelog.rst')]
    code = [path.read_text('utf-8') for path in (ROOT / 'examples').rglob('*.py')]
    for page in pages:
        text = page.read_text('utf-8')
        code += re.findall(r'^ *(?:>>>|\.\.\.) (.*)', text, re.M)
        code += re.findall(r'code-block:: python\n(?:   :.*\n)*\n((?:   .*\n|\n)+)', text)
    return '\n'.join(code)


@pytest.mark.parametrize('module', MODULES)
def test_each_name_is_in_the_reference(module):
    assert sorted(names_of(module) - described()) == []


def test_the_fixtures_are_in_the_reference_under_their_names():
    fixtures = {name for name in vars(plugin) if name.startswith('indexedredis_')}
    assert len(fixtures) >= 4
    assert sorted(fixtures - described()) == []
    listed = {name for name in described() if name.startswith('indexedredis_')}
    assert sorted(listed - fixtures) == []


@pytest.mark.parametrize('module', MODULES)
def test_each_name_has_an_example(module):
    words = {*re.findall(r'\w+', examples())}
    assert sorted(names_of(module) - words) == []


def test_these_tests_can_fail():
    assert 'IndexedRedisModel' in described() and 'IndexedRedisModels' not in described()
    assert 'filter' in examples() and 'Replacing data sets' not in examples()
