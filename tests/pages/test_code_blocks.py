"""Code that pages show without prompts runs too. The rule: each block runs in a test. A block of
Python runs as shown, with the names that its page has introduced. Of other blocks, `blocks.py` says
which test runs them.
"""

from __future__ import annotations

import datetime
import os
import re
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio

import IndexedRedis
from IndexedRedis import fields
from pages.blocks import BLOCKS as ALL
from pages.blocks import LANGUAGES, PAGES, ROOT, TESTED, Block, blocks_of, blocks_without_a_test

BLOCKS = blocks_without_a_test('python')


class Point:
    """What a pickle of the security page holds."""


@pytest.fixture
def names(make_model, monkeypatch) -> dict[str, Any]:
    """What a page has introduced before it shows a block."""
    for name in ('REDIS_PASSWORD', 'REDIS_URL'):
        monkeypatch.setenv(name, 'redis://writer:secret@redis.example:6380/0')
    models = {
        name: make_model(['title', 'genre', 'artist'], indexed=['genre', 'artist'])
        for name in ('Artist', 'Album', 'Song', 'Track', 'Model')
    }
    track = models['Track'](title='Ride On', genre='Rock', artist='AC/DC')
    track.save()
    modules = {'datetime': datetime, 'os': os, 'redis': redis, 'IndexedRedis': IndexedRedis}
    public = {name: getattr(fields, name) for name in fields.__all__} | vars(IndexedRedis)
    return {**public, **modules, **models, 'Point': Point, 'track': track, 'tracks': [track]}


@pytest.mark.parametrize('block', BLOCKS, ids=lambda block: block.name)
def test_a_block_runs(block: Block, names: dict[str, Any], make_model: Any) -> None:
    for package in re.findall(r'(fastapi)|postgresql\+(psycopg)', block.text):
        pytest.importorskip(''.join(package), reason='the block uses it')
    before = IndexedRedis.getDefaultRedisConnectionParams()
    try:
        exec(compile(block.text, block.page, 'exec'), names)
    finally:
        IndexedRedis.setDefaultRedisConnectionParams(before)
    for test in re.findall(r'^def (test_\w+)\(make_model\)', block.text, re.MULTILINE):
        names[test](make_model)


def test_every_block_runs_in_a_test():
    left = {(block.page, block.language) for block in ALL if block.language not in LANGUAGES}
    assert left - TESTED.keys() == set(), 'no test runs these blocks: see tests/pages/blocks.py'


def test_tests_of_pages_are_there():
    for (page, language), test in TESTED.items():
        assert blocks_of(page, language)
        assert Path(page).name in (ROOT / test).read_text('utf-8')


def test_code_has_a_language():
    """Or nobody sees which test runs it."""
    for page, text in PAGES.items():
        assert re.findall(r'^(?! *\.\. ).*::$', text, re.MULTILINE) == [], page


def test_files_that_pages_include_have_a_test():
    tests = ''.join(path.read_text('utf-8') for path in ROOT.glob('tests/**/test_*.py'))
    included = re.findall(r'literalinclude:: \S*examples/(\w+)', ''.join(PAGES.values()))
    assert len(included) > 5
    assert [name for name in included if name not in tests] == []


def test_every_prompt_is_run():
    """A page with prompts is named by a test that runs them."""
    tests = ''.join(path.read_text('utf-8') for path in ROOT.glob('tests/**/*.py'))
    shown = [page for page, text in PAGES.items() if re.search('^>>> ', text, re.MULTILINE)]
    assert len(shown) > 20
    for page in shown:
        path = Path(page)
        apart = f"'{path.parent.name}' / '{path.name}'"
        assert f"'{page}'" in tests or apart in tests, page


def test_every_link_of_the_readme_leads_to_a_file():
    links = re.findall(r'<([\w./-]+\.(?:rst|py))>`_', PAGES['README.rst'])
    assert len(links) > 20
    assert [link for link in links if not (ROOT / link).exists()] == []
