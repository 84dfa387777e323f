"""Code that pages show without prompts runs too. The rule: each block of Python runs as shown, with
the names that its page has introduced, or the page has a test of its own.
"""

from __future__ import annotations

import datetime
import os
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio

import IndexedRedis
from IndexedRedis import fields

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r'^( *)\.\. code-block:: python\n(?: +:.*\n)*\n((?:\1 +.*\n|\n)+)', re.MULTILINE)
# Pages whose blocks are files, or are followed by what was sent, and the tests that run them.
TESTED = {
    'docs/explanation/wire.rst': 'tests/test_wire_page.py',
    'docs/howto/mirror.rst': 'tests/mirror/test_howto.py',
    'docs/howto/testing.rst': 'tests/testing/test_howto_page.py',
    'docs/operate/look-inside.rst': 'tests/cli/test_look_page.py',
    'docs/operate/admin.rst': 'tests/admin/test_howto.py',
}
PAGES = {
    str(path.relative_to(ROOT)): path.read_text('utf-8')
    for path in [ROOT / 'README.rst', *ROOT.glob('docs/**/*.rst')]
}
BLOCKS = [
    (page, textwrap.dedent(block))
    for page, text in PAGES.items()
    if page not in TESTED
    for _, block in BLOCK.findall(text)
]


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


@pytest.mark.parametrize(('page', 'block'), BLOCKS, ids=[page for page, _ in BLOCKS])
def test_a_block_runs(page: str, block: str, names: dict[str, Any]) -> None:
    for package in re.findall(r'(fastapi)|postgresql\+(psycopg)', block):
        pytest.importorskip(''.join(package), reason='the block uses it')
    before = IndexedRedis.getDefaultRedisConnectionParams()
    try:
        exec(compile(block, page, 'exec'), names)
    finally:
        IndexedRedis.setDefaultRedisConnectionParams(before)


def test_pages_with_tests_of_their_own_are_there():
    for page, test in TESTED.items():
        assert BLOCK.search(PAGES[page])
        assert Path(page).name in (ROOT / test).read_text('utf-8')


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
