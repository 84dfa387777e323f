"""docs/operate/admin.rst: its application runs as it stands there."""

from __future__ import annotations

import re
import sys
import textwrap
import types
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from admin import shop
from admin.serving import lifespan, running

pytest.importorskip('fastapi', reason='the example is an application of FastAPI')

PAGE = Path(__file__).parents[2] / 'docs' / 'operate' / 'admin.rst'
TOKEN = 'a token of 24 characters'


def test_the_application_of_the_page(filled, monkeypatch):
    text = PAGE.read_text('utf-8')
    code = textwrap.dedent(re.search(r'code-block:: python\n\n(.*?)\n\n(?=\S)', text, re.S)[1])
    monkeypatch.setitem(sys.modules, 'shop', types.ModuleType('shop'))
    monkeypatch.setitem(sys.modules, 'shop.models', shop)
    monkeypatch.setenv('ADMIN_TOKEN', TOKEN)
    names = {}
    exec(code, names)
    app = Starlette(routes=[Mount('', names['app'])], lifespan=lifespan)
    with running(app) as address:
        assert httpx.get(f'{address}/admin/Track/list').status_code == 401
        headers = {'Authorization': f'Bearer {TOKEN}'}
        answer = httpx.get(f'{address}/admin/Track/list', headers=headers, timeout=60)
        assert answer.is_success and 'Track 4' in answer.text
